/** What a train step or an evaluation is fed. */
export interface Batch {
  /** Normalized by ImageNet's mean and deviation · pictures × 3 × size × size. */
  readonly images: Float32Array<ArrayBuffer>
  /** Rows that sum to 1: label smoothing and mixup are in them · pictures × classes. */
  readonly targets: Float32Array<ArrayBuffer>
  /** The classes of the pictures, before smoothing and mixing. */
  readonly labels: readonly number[]
}

/** Makes batches ahead of their use. */
export interface Loader {
  readonly batchesPerEpoch: number
  /**
   * The training batches of an epoch from the given one on. Each is a function of the seed, the epoch
   * and its own number alone, so that an interrupted epoch goes on as if it had not been.
   */
  train(epoch: number, firstBatch?: number): AsyncIterable<Batch>
  /** All validation pictures in order, each once, the last batch shorter. */
  validation(): AsyncIterable<Batch>
  dispose(): Promise<void>
}
