import type { Communicator, Histogram, Hyperparameters } from '@diffgrad/core'
import type { Model } from '@diffgrad/onnx'
import type { OptimizerSpec } from '@diffgrad/onnxruntime'
import type { Batch } from '../data/batch.ts'
import type { Provider } from '../provider.ts'

/** The model that an engine trains, its optimizer and its batches. */
export interface TrainingEngineOptions {
  /** From `pixel_values` [batch, 3, size, size] to `logits` [batch, classes]. */
  readonly model: Model
  /** Matches names of parameters to keep fixed. */
  readonly frozen: readonly RegExp[]
  readonly optimizer: OptimizerSpec<Hyperparameters>
  /** Images in each train step. */
  readonly batch: number
  /** Width and height of the images, in pixels. */
  readonly size: number
  /** CPU threads. */
  readonly threads: number
  /** Where ONNX Runtime computes; default `cpu`. */
  readonly provider?: Provider | undefined
  /** The ranks that train together; undefined for a process alone. */
  readonly ranks?: Communicator | undefined
}

/** The results of a batch, before the weights changed. */
interface BatchResult {
  readonly loss: number
  /** The share of images whose largest logit is of their label. */
  readonly accuracy: number
}

/** The result of a train step, before the weights changed. Of several ranks, loss and accuracy are means. */
interface EngineStep extends BatchResult {
  /** ξ of every trained parameter, for the batch of this rank, if its bin edges were passed. */
  readonly friction?: Histogram
  /** The results of the batches of all ranks, by rank, if there are several. */
  readonly ranks?: readonly BatchResult[]
}

/** Trains and runs an image classifier on one runtime. Calls must not overlap. */
export interface TrainingEngine {
  /**
   * Takes a train step, completely or not at all, together with all ranks.
   *
   * @param frictionEdges - bin edges of ξ, for rules that have one.
   * @throws {Divergence} If the loss is not finite.
   */
  step(batch: Batch, frictionEdges?: readonly number[]): Promise<EngineStep>
  /**
   * Adds a training batch to the running statistics that `predict` and `export` use with the averaged weights of
   * a rule with an evaluation point, together with all ranks. The next step discards them, `save` stores them.
   */
  reestimate(batch: Batch): Promise<void>
  /** Logits [batch, classes] in evaluation mode; of the averaged weights if the optimizer has them. */
  predict(images: Float32Array): Promise<Float32Array>
  /** Reports a validation loss to plateau schedules. */
  report(loss: number): Promise<void>
  /** Writes weights, optimizer state and notes (JSON) as a safetensors file, to resume bit for bit. */
  save(notes: unknown): Promise<Uint8Array>
  /** Restores a file of `save`, and returns the notes. */
  load(checkpoint: Uint8Array): Promise<unknown>
  /** Writes the trained model, with the weights of `predict`, as an .onnx file. */
  export(): Promise<Uint8Array>
  dispose(): Promise<void>
}

/** The column of the largest element of a row; of equal elements, the first. */
export function argmax(matrix: ArrayLike<number>, row: number, columns: number): number {
  const start = row * columns
  let best = 0
  for (let i = 1; i < columns; i++) if (matrix[start + i] > matrix[start + best]) best = i
  return best
}

/** The share of rows of logits whose argmax is the label. */
export function accuracyOf(logits: ArrayLike<number>, labels: readonly number[]): number {
  const columns = logits.length / labels.length
  const correct = labels.filter((label, row) => argmax(logits, row, columns) === label)
  return correct.length / labels.length
}
