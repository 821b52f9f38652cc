import type { Hyperparameters, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import type { DifferentiateOptions } from '@diffgrad/onnx'
import type { Metric } from './metrics.ts'
import type { SessionOptions } from './runtime.ts'

/** A rule of @diffgrad/core with the options of an optimizer, such as `{ rule: diffGrad, learningRate: 1e-3 }`. */
export type OptimizerSpec<H extends Hyperparameters> = OptimizerOptions<H> & {
  readonly rule: UpdateRule<H>
}

/** How a model is trained. */
export interface TrainerOptions<H extends Hyperparameters> extends DifferentiateOptions {
  readonly optimizer: OptimizerSpec<H>
  /**
   * `kernel` updates the weights by the fused kernels of @diffgrad/arrays, with every option of an
   * optimizer. `graph` makes the update a part of the model: parameter groups and schedules, no
   * transforms of gradients or weights. Default `kernel`.
   */
  readonly update?: 'kernel' | 'graph'
  /** Metrics that `step` and `evaluate` compute, by names of your choice. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /** Execution providers, threads and the like; by default the CPU, with threads that sleep while idle. */
  readonly session?: SessionOptions
}

/** Options of one step. */
export interface StepOptions {
  /** Aborts the step before the weights change. */
  readonly signal?: AbortSignal
  /**
   * Bin edges of intermediate values of the rule, counted before the weights change, such as
   * `{ xi: [0, 0.5, 1] }`. See `histograms` of `Optimizer` in @diffgrad/core. Needs update `kernel`.
   */
  readonly histograms?: Readonly<Record<string, readonly number[]>>
}

/** Which weights to use. */
export interface WeightsOptions {
  /** Use the moving average of the weights; the optimizer must have the option `ema`. */
  readonly ema?: boolean
}
