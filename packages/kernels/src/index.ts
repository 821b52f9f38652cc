export {
  createEngine,
  type KernelEngine,
  type KernelEngineOptions,
  type KernelTier,
} from './engine.ts'
export * from './generated/index.ts'
export type { GeneratedKernel, GeneratedKernels } from './generated-kernels.ts'
export { javascript } from './printer.ts'
export {
  type GlslProgram,
  glsl,
  type WgslBinding,
  type WgslProgram,
  wgsl,
  workgroupSize,
} from './shaders.ts'
export { startPool } from './threads/thread-pool.ts'
export { type Dtype, dtypeOf, type FloatArray, zerosLike } from './typed-arrays.ts'
export {
  KernelMemory,
  type KernelMemoryOptions,
  type KernelPool,
  memoryOf,
  type StartPool,
  wasmSupported,
} from './wasm/launch.ts'
