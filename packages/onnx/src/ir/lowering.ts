/** Which of several equivalent forms operators and gradients are written in. They differ in speed, and in the runtimes that support them. */
export interface Lowering {
  /**
   * The gradient of a convolution's weight. `im2col` gathers the image patches under the kernel into
   * one large product; `slices` cuts them out of the image by slicing; `taps` takes one product per
   * kernel element; `convolution` convolves the image with the gradient, batch and channels swapped.
   */
  readonly weightGradient: 'im2col' | 'slices' | 'taps' | 'convolution'
  /**
   * The gradient of a convolution's image. `transposed` is one ConvTranspose; `flipped` is a
   * convolution with the flipped kernel if the stride is 1; `adaptive` is `flipped` for kernels that
   * are small compared with the image, and else `transposed`.
   */
  readonly imageGradient: 'transposed' | 'flipped' | 'adaptive'
  /** Convolves the images of a batch as one tall image if each has at most this many output pixels. 0 disables it. */
  readonly foldBatchUpTo: number
  /**
   * `plain` replaces operators that some execution providers lack by simpler ones: the training mode
   * of BatchNormalization, the indices of MaxPool, Pow with broadcasting, and Slice with negative steps.
   */
  readonly operators: 'standard' | 'plain'
}

/** The fastest forms on ONNX Runtime's CPU provider, and the default. */
export const cpuLowering: Lowering = {
  weightGradient: 'im2col',
  imageGradient: 'adaptive',
  foldBatchUpTo: 4,
  operators: 'standard',
}

/** The forms that follow the definitions most directly. */
export const referenceLowering: Lowering = {
  weightGradient: 'convolution',
  imageGradient: 'transposed',
  foldBatchUpTo: 0,
  operators: 'standard',
}
