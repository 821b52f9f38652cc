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
