import type {
  Communicator,
  Failure,
  Histogram,
  Hyperparameters,
  Optimizer,
  SkippedSteps,
  StateDict,
  StepOutcome,
} from '@diffgrad/core'
import type { Model, Tensor, ValueInfo } from '@diffgrad/onnx'
import type { Checkpoint } from '../checkpoint.ts'
import type { EvaluationSpec } from '../evaluation.ts'
import type { EvaluationResult } from '../metrics.ts'
import type { OptimizerSpec } from '../options.ts'
import type { Tensors } from '../runtime.ts'

/** The model to train, the optimizer, and the runtime that runs both. */
export interface UpdateSpec<H extends Hyperparameters> extends EvaluationSpec {
  readonly optimizer: OptimizerSpec<H>
  /** The outputs of the forward model that every step computes. */
  readonly outputs: readonly string[]
  /** The names of the metrics. */
  readonly metrics: readonly string[]
  /** The ranks that train together; undefined if there is one. */
  readonly ranks?: Communicator | undefined
}

/**
 * Removes the forward model's outputs that a step does not read, so that every run fetches all outputs:
 * before 1.24, onnxruntime-node returns some of the outputs under the names of others.
 */
export function withOutputs(model: Model, forward: Model, kept: readonly string[]): Model {
  const isRead = ({ name }: ValueInfo): boolean =>
    kept.includes(name) || forward.outputs.every((output) => output.name !== name)
  const inner = model.outputs.filter((output) => !isRead(output))
  return {
    ...model,
    outputs: model.outputs.filter(isRead),
    values: new Map([...model.values, ...inner.map((value) => [value.name, value] as const)]),
  }
}

/** Replaces initializers by weights, whose elements are shared. */
export function withWeights(model: Model, weights: Checkpoint['weights']): Model {
  // The count of Dropout's steps is no initializer.
  const replaced = Object.entries(weights)
    .filter(([name]) => model.initializers.has(name))
    .map(([name, { shape, data }]): [string, Tensor] => [name, { type: 'float32', shape, data }])
  return { ...model, initializers: new Map([...model.initializers, ...replaced]) }
}

/** The lengths of the symbolic dimensions of a model's inputs, by name. */
export type Sizes = Readonly<Record<string, number>>

/** Sizes as a key: equal for equal lengths. */
export const keyOf = (sizes: Sizes): string =>
  JSON.stringify(Object.entries(sizes).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** The input of one step. */
export interface StepInput {
  /** The sizes of the batch. Undefined for those of the trainer's options. */
  readonly sizes?: Sizes | undefined
  /** The batch. */
  readonly feeds: Tensors
  /** Bin edges of the rule's intermediate values; undefined for no histograms. */
  readonly histogramEdges: Readonly<Record<string, readonly number[]>> | undefined
  /** Called with the loss, of each rank if there are several, before the weights change. Throws if it is not finite. */
  checkLoss(loss: number, rank?: number): void
  /** Called before the weights change. If it throws, the step is cancelled and nothing changes. */
  computeMetrics(loss: number, outputs: Tensors): Promise<EvaluationResult>
}

/**
 * The result of a step. Loss, metrics and histograms are those before the weights changed; of several ranks, loss
 * and metrics are means.
 */
export interface StepResult extends EvaluationResult {
  readonly outcome: StepOutcome
  /** The number of updates so far, this one included. */
  readonly updates: number
  /** The steps that the option `skipNotFinite` has skipped so far, this one included. */
  readonly skipped: SkippedSteps
  /** The histograms that the step's options requested. */
  readonly histograms?: Readonly<Record<string, Histogram>>
  /** The loss and metrics of each rank, by rank, if there are several. Histograms are those of this rank. */
  readonly ranks?: readonly EvaluationResult[]
}

/** Computes gradients and updates the weights by them. */
export interface Update<H extends Hyperparameters> {
  /** The gradient model, whose inputs are the batch and the weights, for the sizes of the options. */
  readonly model: Model
  /** The models that steps run: the gradient model, or those with the update inside. */
  readonly stepModels: readonly Model[]
  /** The gradient model for batches of other sizes. */
  modelFor(sizes: Sizes): Promise<Model>
  readonly optimizer: Pick<Optimizer<never, H>, 'updates' | 'options' | 'set' | 'report'>
  /** The shapes of the parameters and running statistics. */
  readonly shapes: Readonly<Record<string, readonly number[]>>
  /** The current parameters and running statistics, on the device if they lie there. Valid until the next step. */
  weights(): Promise<Tensors>
  /** Swaps the weights with their average, or back. See `swapAverage` of `Optimizer` in @diffgrad/core. */
  swapAverage(): Promise<void>
  /**
   * Takes one step, completely or not at all.
   *
   * @throws What `computeMetrics` or the runtime throws. Then nothing has changed.
   */
  step(input: StepInput): Promise<StepResult>
  /** Ends a step before it begins, on every rank. @throws the reason. */
  fail(failure: Failure): Promise<never>
  /** From now on, steps are exchanged with the other ranks. */
  distribute(): void
  /** The weights on the CPU. Valid until the next step. */
  readWeights(): Promise<Checkpoint['weights']>
  /** The optimizer's state on the CPU. Valid until the next step. */
  readOptimizer(): Promise<StateDict>
  /** Replaces the weights and the optimizer's state. @throws as `loadStateDict`: then nothing has changed. */
  load(state: Pick<Checkpoint, 'weights' | 'optimizer'>): void
  release(): Promise<void>
}
