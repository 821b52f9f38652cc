export * from '@diffgrad/core'
export type { Floats } from './floats.ts'
export {
  type ArrayGradients,
  ArraysOptimizer,
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
