import type { Histogram, Hyperparameters, Optimizer, StepOutcome } from '@diffgrad/core'
import type { Model } from '@diffgrad/onnx'
import type { EvaluationSpec } from '../evaluation.ts'
import type { EvaluationResult } from '../metrics.ts'
import type { OptimizerSpec } from '../options.ts'
import type { Tensors } from '../runtime.ts'

/** The model to train, the optimizer, and the runtime that runs both. */
export interface UpdateSpec<H extends Hyperparameters> extends EvaluationSpec {
  readonly optimizer: OptimizerSpec<H>
  /** The outputs of the forward model that every step computes. */
  readonly outputs: readonly string[]
}

/**
 * Removes the forward model's outputs that a step does not read, so that every run fetches all outputs:
 * before 1.24, onnxruntime-node returns some of the outputs under the names of others.
 */
export const withOutputs = (model: Model, forward: Model, kept: readonly string[]): Model => ({
  ...model,
  outputs: model.outputs.filter(
    ({ name }) => kept.includes(name) || forward.outputs.every((output) => output.name !== name),
  ),
})

/** The input of one step. */
export interface StepInput {
  /** The batch. */
  readonly feeds: Tensors
  /** Bin edges of the rule's intermediate values; undefined for no histograms. */
  readonly histogramEdges: Readonly<Record<string, readonly number[]>> | undefined
  /** Called before the weights change. If it throws, the step is cancelled and nothing changes. */
  computeMetrics(loss: number, outputs: Tensors): Promise<EvaluationResult>
}

/** The result of a step. Loss, metrics and histograms are those before the weights changed. */
export interface StepResult extends EvaluationResult {
  readonly outcome: StepOutcome
  /** The number of updates so far, this one included. */
  readonly updates: number
  /** The histograms that the step's options requested. */
  readonly histograms?: Readonly<Record<string, Histogram>>
}

/** Computes gradients and updates the weights by them. */
export interface Update<H extends Hyperparameters> {
  /** The gradient model, whose inputs are the batch and the weights. */
  readonly model: Model
  readonly optimizer: Pick<
    Optimizer<never, H>,
    'updates' | 'options' | 'set' | 'report' | 'stateDict' | 'loadStateDict' | 'swapEma'
  >
  /** The current parameters and running statistics. */
  readonly weights: Tensors
  /**
   * Takes one step, completely or not at all.
   *
   * @throws What `computeMetrics` or the runtime throws. Then nothing has changed.
   */
  step(input: StepInput): Promise<StepResult>
  /** Replaces the elements of weights, by name. */
  write(weights: Readonly<Record<string, Float32Array>>): void
  release(): Promise<void>
}
