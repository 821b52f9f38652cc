export * from '@diffgrad/core'
export { type Allocated, type AllocateOptions, allocate } from './allocate.ts'
export type { EngineOptions } from './choose.ts'
export type { KernelReport, KernelTier } from './engine.ts'
export type { Floats } from './floats.ts'
export {
  type ArrayGradients,
  ArraysOptimizer,
  type ArraysOptions,
  type ParameterLike,
  type Parameters,
} from './optimizer.ts'
export {
  AdaMod,
  Adam,
  AdamW,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  RAdam,
  Ranger,
  SGD,
} from './optimizers.ts'
export type { Dtype } from './wasm/lanes.ts'
