import { type Rank, type Tensor, type Tensor4D, transpose } from '@tensorflow/tfjs-core'

/**
 * A tensor in the layout of ONNX or in that of TensorFlow.js. ONNX has the channels of an image before
 * its pixels (NCHW), TensorFlow.js after them (NHWC). Transposes on demand and keeps both.
 */
export class LayoutTensor {
  #onnx: Tensor | undefined
  #nhwc: Tensor4D | undefined

  private constructor(onnx: Tensor | undefined, nhwc: Tensor4D | undefined) {
    this.#onnx = onnx
    this.#nhwc = nhwc
  }

  /** From a tensor with the axes of ONNX. */
  static onnx(tensor: Tensor): LayoutTensor {
    return new LayoutTensor(tensor, undefined)
  }

  /** From images [batch, height, width, channels]. */
  static nhwc(images: Tensor4D): LayoutTensor {
    return new LayoutTensor(undefined, images)
  }

  /** With the axes of ONNX. */
  get onnx(): Tensor {
    this.#onnx ??= transpose(this.nhwc, [0, 3, 1, 2])
    return this.#onnx
  }

  /** Images [batch, height, width, channels]; the tensor must have four axes. */
  get nhwc(): Tensor4D {
    // The constructors set one of both.
    this.#nhwc ??= transpose(this.#onnx as Tensor4D, [0, 2, 3, 1])
    return this.#nhwc
  }

  /** Applies an elementwise function, in the layout that was computed first. */
  map(f: <R extends Rank>(tensor: Tensor<R>) => Tensor<R>): LayoutTensor {
    return this.#isNhwc ? LayoutTensor.nhwc(f(this.nhwc)) : LayoutTensor.onnx(f(this.onnx))
  }

  /** Applies an elementwise function of two tensors, broadcast by the rules of ONNX. */
  combine(other: LayoutTensor, f: <T extends Tensor>(a: Tensor, b: Tensor) => T): LayoutTensor {
    const isNhwc = this.#isNhwc
      ? other.#isNhwc || other.onnx.size === 1
      : other.#isNhwc && this.onnx.size === 1
    return isNhwc
      ? LayoutTensor.nhwc(f(this.#any, other.#any))
      : LayoutTensor.onnx(f(this.onnx, other.onnx))
  }

  get #isNhwc(): boolean {
    return this.#onnx === undefined
  }

  get #any(): Tensor {
    return this.#onnx ?? this.nhwc
  }
}
