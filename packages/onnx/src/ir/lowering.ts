/** Which of several equal formulations a gradient model is written in. They differ in speed, and in what runs them. */
export interface Lowering {
  /**
   * The gradient of a convolution's weight: `patches` gathers what the kernel sees, and `slices` cuts
   * it out of the image, for one large product; `taps` takes one product for each element of the kernel; `convolution` convolves the image with
   * the gradient, batch and channels swapped.
   */
  readonly weightGradient: 'patches' | 'slices' | 'taps' | 'convolution'
  /**
   * The gradient of a convolution's image: `transposed` is one ConvTranspose; `flipped` a
   * convolution with the kernel turned around, where the stride is 1; `adaptive` the second where
   * the kernel is small beside the image.
   */
  readonly imageGradient: 'transposed' | 'flipped' | 'adaptive'
  /** Images of at most so many pixels are convolved as one tall image; 0 leaves all as they are. */
  readonly foldBatchUpTo: number
  /**
   * `plain` writes in simpler operators what not every provider has: BatchNormalization's training
   * mode, MaxPool's indices, Pow of operands that differ in shape, and Slice backwards.
   */
  readonly operators: 'standard' | 'plain'
}

/** What is fastest on ONNX Runtime's CPU provider. */
export const fastest: Lowering = {
  weightGradient: 'patches',
  imageGradient: 'adaptive',
  foldBatchUpTo: 4,
  operators: 'standard',
}

/** The most literal formulation. */
export const literal: Lowering = {
  weightGradient: 'convolution',
  imageGradient: 'transposed',
  foldBatchUpTo: 0,
  operators: 'standard',
}
