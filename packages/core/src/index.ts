export { type Arithmetic, numbers } from './arithmetic.ts'
export type { Lookahead } from './averaging/lookahead.ts'
export type { WeightAveraging } from './averaging/moving-average.ts'
export { type Backend, describeSaved, type Lists, type Saved } from './backend.ts'
export {
  type Binary,
  canonical,
  type Expression,
  type Graph,
  operands,
  trace,
  type Unary,
} from './expression.ts'
export type { Gradients } from './gradient/match.ts'
export type {
  Clipping,
  ConditioningOptions,
} from './gradient/transforms.ts'
export { type Histogram, histogram } from './histogram.ts'
export type { Inspection } from './inspection.ts'
export { defineKernel, type Kernel, type Values } from './kernel.ts'
export { entriesOf, type Named } from './named.ts'
export {
  Optimizer,
  type OptimizerOptions,
  type StepOutcome,
} from './optimizer.ts'
export {
  type GroupSettings,
  noDecayOnBiasAndNorm,
  type Selector,
} from './parameter-groups.ts'
export type { Parameter } from './parameters.ts'
export { count, fraction, nonNegative, oneOf, positive, type Range } from './ranges.ts'
export {
  type CommonOptions,
  defineRule,
  type Form,
  type Operands,
  type Outcome,
  type Schedulable,
  type Settings,
  type UpdateRule,
} from './rule.ts'
export { type RuleKernels, ruleKernels, type Variant } from './rule-kernels.ts'
export { type AdamOptions, adam, adamW } from './rules/adam.ts'
export { type AdaModOptions, adaMod } from './rules/adamod.ts'
export { type DiffGradOptions, diffGrad } from './rules/diffgrad.ts'
export { type DiffModOptions, diffMod } from './rules/diffmod.ts'
export { type DiffRGradOptions, diffRGrad } from './rules/diffrgrad.ts'
export type { FrictionOptions } from './rules/friction.ts'
export type { MomentOptions } from './rules/moments.ts'
export { type RAdamOptions, radam } from './rules/radam.ts'
export { ranger } from './rules/ranger.ts'
export type { RectificationOptions } from './rules/rectification.ts'
export { type SgdOptions, sgd } from './rules/sgd.ts'
export type { StepBoundOptions } from './rules/step-bound.ts'
export {
  constant,
  cosine,
  exponential,
  join,
  linear,
  type PlateauOptions,
  plateau,
  type RampOptions,
  stepDecay,
  warmRestarts,
} from './schedules/curves.ts'
export {
  flatCosine,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
} from './schedules/recipes.ts'
export { type Piece, type Report, type Schedule, scheduleValue } from './schedules/schedule.ts'
export type { ParameterState, StateDict } from './state.ts'
export { type Surroundings, surroundingKernels } from './surroundings.ts'
