import type { Hyperparameters } from '@diffgrad/core'
import type { DifferentiateOptions } from '@diffgrad/onnx'
import type { Metric } from './metrics.ts'
import type { SessionOptions } from './runtime.ts'
import type { OptimizerChoice } from './update/update.ts'

/** How a model is trained. */
export interface TrainerOptions<O extends Hyperparameters> extends DifferentiateOptions {
  /** A rule of @diffgrad/core with its options, such as `{ rule: diffGrad, learningRate: 1e-3 }`. */
  readonly optimizer: OptimizerChoice<O>
  /**
   * `kernel` moves the weights by fused kernels of @diffgrad/arrays, with all that an optimizer can
   * do. `graph` makes the update a part of the model: parameter groups and schedules, no surroundings.
   * Default `kernel`.
   */
  readonly update?: 'kernel' | 'graph'
  /** Figures that `step` and `evaluate` also give, by names of your own. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /** Providers and threads. By default the runtime's, with threads that sleep while they wait. */
  readonly session?: SessionOptions
}

/** What a step may be told. */
export interface StepChoice {
  readonly signal?: AbortSignal
  /**
   * Inner values of the rule to count before the weights move, such as `{ xi: [0, 0.5, 1] }`. See
   * `histograms` of `Optimizer` in @diffgrad/core. Only of the update by kernels.
   */
  readonly histograms?: Readonly<Record<string, readonly number[]>>
}

/** Which weights. */
export interface WeightsChoice {
  /** Whether the moving average of the weights is used; the optimizer needs `ema`. */
  readonly average?: boolean
}
