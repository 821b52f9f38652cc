export { type Arithmetic, numbers } from './arithmetic.ts'
export {
  type ApplyWithSums,
  type ArrayLists,
  arraySignature,
  type Backend,
  type SavedArray,
} from './backend.ts'
export {
  type Attempt,
  attempt,
  attemptAsync,
  type Exchange,
  exchangeAsync,
  type Failure,
  type Sums,
} from './exchange.ts'
export type { Gradients } from './gradients.ts'
export {
  type Binary,
  canonical,
  type Expression,
  type Graph,
  operands,
  trace,
  type Unary,
} from './graph.ts'
export {
  type GroupOptions,
  noDecayOnBiasAndNorm,
  type RuleGroup,
  rulesIn,
  type Selector,
  selects,
} from './group-options.ts'
export { type Histogram, histogram, histogramsOf, type Inspection } from './inspect.ts'
export { defineKernel, type Kernel, type SumKernels, type Values } from './kernel.ts'
export type { LoadOptions, LoadReport } from './load-state.ts'
export { memoized } from './memoized.ts'
export { Optimizer, type OptimizerOptions, type StepOutcome } from './optimizer.ts'
export { optionTextOf } from './option-texts.ts'
export { optionsAfterReport, restartSchedules, startSchedules } from './options.ts'
export { entriesOf, type Named, type Parameter } from './parameters.ts'
export {
  checkOptions,
  describe,
  fraction,
  isPlainObject,
  nonNegative,
  type OptionRange,
  type OptionText,
  oneOf,
  positive,
  positiveInteger,
  rangeOf,
} from './ranges.ts'
export { Communicator, gather, RankError, requireSame } from './ranks.ts'
export {
  defineRule,
  type EvaluationPoint,
  type Hyperparameters,
  type PartialOptions,
  type RuleInputs,
  type RuleOptions,
  type RuleOutputs,
  type RuleVariant,
  type ScalarState,
  type Scalars,
  type Schedulable,
  type UpdateRule,
} from './rule.ts'
export {
  type KernelVariant,
  type RuleKernels,
  ruleKernels,
  type StepKernels,
  stepKernels,
  updateKernels,
} from './rule-kernels.ts'
export * from './rules/index.ts'
export {
  constant,
  cosine,
  exponential,
  flatCosine,
  type InverseSquareRootOptions,
  inverseSquareRoot,
  join,
  lambda,
  linear,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
  type PlateauOptions,
  piecewise,
  plateau,
  polynomial,
  type RampOptions,
  startAt,
  stepDecay,
  warmRestarts,
} from './schedules/constructors.ts'
export {
  type LossReport,
  type PlateauProgress,
  type Schedule,
  type SchedulePoint,
  type ScheduleSegment,
  scheduleValue,
} from './schedules/schedule.ts'
export type { ParameterState, SkippedSteps, StateDict } from './state-dict.ts'
export { centralizeRows } from './transforms/centralize.ts'
export { type Clipping, euclideanNorm } from './transforms/clip.ts'
export type { Ema, EmaWarmup } from './transforms/ema.ts'
export {
  type GradientTransforms,
  type SkipLimit,
  splitTransforms,
  type Transforms,
  transformKernels,
  transformNames,
  transformState,
  transformStateNames,
} from './transforms/index.ts'
export type { Lookahead } from './transforms/lookahead.ts'
