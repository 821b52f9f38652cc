export {
  type Clipping,
  constant,
  cosine,
  defineRule,
  type Ema,
  exponential,
  flatCosine,
  type GroupOptions,
  type Histogram,
  type Hyperparameters,
  histogram,
  type Inspection,
  type InverseSquareRootOptions,
  inverseSquareRoot,
  join,
  type LoadOptions,
  type LoadReport,
  type Lookahead,
  lambda,
  linear,
  noDecayOnBiasAndNorm,
  oneCycle,
  oneCycleMomentum,
  type PartialOptions,
  piecewise,
  plateau,
  polynomial,
  type RuleOptions,
  type Schedule,
  type Selector,
  type StateDict,
  type StepOutcome,
  scheduleValue,
  startAt,
  stepDecay,
  type Transforms,
  type UpdateRule,
  warmRestarts,
} from '@diffgrad/core'
export type { Dtype, FloatArray, KernelTier } from '@diffgrad/kernels'
export { type Allocated, type AllocateOptions, allocate } from './allocate.ts'
export type { KernelReport } from './backend.ts'
export * from './generated/optimizers.ts'
export * from './generated/rules.ts'
export {
  type ArrayGradients,
  ArraysOptimizer,
  type ArraysOptions,
  type ParameterLike,
  type ParameterSet,
} from './optimizer.ts'
export type { EngineOptions } from './select-engine.ts'
