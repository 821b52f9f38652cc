import type { Histogram, Hyperparameters } from '@diffgrad/core'
import type { Model } from '@diffgrad/onnx'
import type { OptimizerChoice } from '@diffgrad/onnxruntime'
import type { Batch } from '../data/batch.ts'

/** What an engine trains, and how. */
export interface Recipe {
  /** From `pixel_values`, pictures × 3 × size × size, to `logits`, pictures × classes. */
  readonly model: Model
  /** Parameters that stay as they are. */
  readonly frozen: readonly RegExp[]
  readonly optimizer: OptimizerChoice<Hyperparameters>
  /** Pictures in every train step. */
  readonly batch: number
  /** Edge of the pictures. */
  readonly size: number
  readonly threads: number
}

/** What a train step gave, before the weights moved. */
interface Step {
  readonly loss: number
  /** Share of the pictures whose largest logit is the class that counts most in their target. */
  readonly accuracy: number
  /** ξ of every trained parameter, counted between the edges that were asked for. */
  readonly friction?: Histogram
}

/** What computes. Every call waits for the one before it. */
export interface Engine {
  /**
   * Takes a train step.
   *
   * @param edges - between which the ξ of this step is counted; only for rules that have one.
   * @throws {Divergence} If the loss is not finite. Then nothing has changed.
   */
  step(batch: Batch, edges?: readonly number[]): Promise<Step>
  /** Logits · pictures × classes; of the averaged weights, where the optimizer averages them. */
  predict(images: Float32Array): Promise<Float32Array>
  /** Tells schedules that wait for it a loss of validation. */
  report(loss: number): Promise<void>
  /** Everything from which training goes on bit for bit, as a safetensors file, with JSON of one's own. */
  save(notes: unknown): Promise<Uint8Array>
  /** Goes back to what `save` gave, and gives the notes. */
  load(checkpoint: Uint8Array): Promise<unknown>
  /** The trained network, of the weights that `predict` takes, as an .onnx file. */
  export(): Promise<Uint8Array>
  dispose(): Promise<void>
}
