/** Means and standard deviations of the colour channels, of values from 0 to 1. */
export interface ChannelStatistics {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/** ImageNet's statistics, which all images are normalized by. */
export const imageNetStatistics: ChannelStatistics = {
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
}

/** The input of a train step or of an evaluation. */
export interface Batch {
  /** Normalized by `imageNetStatistics` · images × 3 × size × size. */
  readonly images: Float32Array<ArrayBuffer>
  /** Class probabilities after label smoothing and mixup, times class weights · images × classes. */
  readonly targets: Float32Array<ArrayBuffer>
  /** Class indices before label smoothing and mixup. */
  readonly labels: readonly number[]
}

/** Prepares batches ahead of their use. */
export interface Loader {
  readonly batchesPerEpoch: number
  /**
   * The training batches of an epoch, from `firstBatch` on, each or every so many. Each is a function of the seed, the epoch and
   * its index alone, so that an interrupted epoch can be resumed exactly.
   */
  train(epoch: number, firstBatch?: number, every?: number): AsyncIterable<Batch>
  /**
   * The validation batches, from `firstBatch` on, each or every so many. All of them have all validation images
   * once, in order. The last batch may be smaller.
   */
  validation(firstBatch?: number, every?: number): AsyncIterable<Batch>
  dispose(): Promise<void>
}
