/**
 * Which of several equivalent forms operators and gradients are written in. They differ in speed and in
 * the runtimes that support them.
 */
export interface Lowering {
  /**
   * The gradient of a convolution's weight. `im2col` gathers the image patches under the kernel into
   * one large product; `slices` cuts them out of the image by slicing; `taps` takes one product per
   * kernel element; `convolution` convolves the image with the gradient, batch and channels swapped.
   */
  readonly weightGradient: 'im2col' | 'slices' | 'taps' | 'convolution'
  /**
   * The gradient of a convolution's image. `transposed` is one ConvTranspose; `flipped` is a
   * convolution with the flipped kernel if the stride is 1; `adaptive` is the form that `productUpTo`
   * and `channelBlock` select, else `flipped` for kernels that are small compared with the image, and
   * else `transposed`.
   */
  readonly imageGradient: 'transposed' | 'flipped' | 'adaptive'
  /**
   * A convolution is one matrix product over the whole batch if each image has at most this many output
   * pixels; 0: never.
   */
  readonly productUpTo: number
  /**
   * Convolutions whose channels are multiples of this number are computed in the blocked layout of
   * ONNX Runtime's CPU provider, which must have blocks of this size; 0: never.
   */
  readonly channelBlock: number
  /**
   * `plain` replaces operators that some execution providers lack by simpler ones: the training mode
   * of BatchNormalization, the indices of MaxPool, Pow with broadcasting, Slice with negative steps,
   * Dropout, LogSoftmax and OneHot.
   */
  readonly operators: 'standard' | 'plain'
}

/** The fastest forms of standard operators on ONNX Runtime's CPU provider, and the default. */
export const cpuLowering: Lowering = {
  weightGradient: 'im2col',
  imageGradient: 'adaptive',
  productUpTo: 16,
  channelBlock: 0,
  operators: 'standard',
}

/** The forms that follow the definitions most directly. */
export const referenceLowering: Lowering = {
  weightGradient: 'convolution',
  imageGradient: 'transposed',
  productUpTo: 0,
  channelBlock: 0,
  operators: 'standard',
}
