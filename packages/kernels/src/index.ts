export {
  createEngine,
  type KernelEngine,
  type KernelEngineOptions,
  type KernelTier,
} from './engine.ts'
export { generatedAdam } from './generated/adam.ts'
export { generatedAdaMod } from './generated/adamod.ts'
export { generatedDiffGrad } from './generated/diffgrad.ts'
export { generatedDiffMod } from './generated/diffmod.ts'
export { generatedDiffRGrad } from './generated/diffrgrad.ts'
export { generatedRAdam } from './generated/radam.ts'
export { generatedSGD } from './generated/sgd.ts'
export { generatedTransforms } from './generated/transforms.ts'
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
export { type Dtype, dtypeOf, type FloatArray, zerosLike } from './typed-arrays.ts'
export { KernelMemory, memoryOf, wasmSupported } from './wasm/launch.ts'
