export type { TensorFlow } from './copies.ts'
export { RuleOptimizer, type TensorGradients } from './optimizer.ts'
export {
  AdaMod,
  Adam,
  AdamW,
  DiffGrad,
  DiffMod,
  DiffRGrad,
  type OptimizerClass,
  RAdam,
  Ranger,
  register,
  SGD,
} from './optimizers.ts'
export type { NamedTensors } from './serialization.ts'
export type { PositionalSetting, Settings } from './settings.ts'
