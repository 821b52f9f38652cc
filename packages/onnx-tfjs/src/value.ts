import { type Rank, type Tensor, type Tensor4D, transpose } from '@tensorflow/tfjs-core'

/**
 * A value of a model. ONNX has the channels of an image before its pixels, TensorFlow.js after them:
 * values stay as they were computed until someone wants to see them the other way.
 */
export class Value {
  #onnx: Tensor | undefined
  #image: Tensor4D | undefined

  private constructor(onnx: Tensor | undefined, image: Tensor4D | undefined) {
    this.#onnx = onnx
    this.#image = image
  }

  /** A tensor whose axes are those of ONNX. */
  static of(tensor: Tensor): Value {
    return new Value(tensor, undefined)
  }

  /** An image · batch × height × width × channels. */
  static ofImage(image: Tensor4D): Value {
    return new Value(undefined, image)
  }

  /** Whether it was computed as an image. */
  get isImage(): boolean {
    return this.#onnx === undefined
  }

  /** With the axes of ONNX. */
  get onnx(): Tensor {
    this.#onnx ??= transpose(this.image, [0, 3, 1, 2])
    return this.#onnx
  }

  /** Of four axes · batch × height × width × channels. */
  get image(): Tensor4D {
    // One of the two is always there.
    this.#image ??= transpose(this.#onnx as Tensor4D, [0, 2, 3, 1])
    return this.#image
  }

  /** The same, computed element by element. */
  map(change: <R extends Rank>(tensor: Tensor<R>) => Tensor<R>): Value {
    return this.isImage ? Value.ofImage(change(this.image)) : Value.of(change(this.onnx))
  }

  /** Computed element by element from both, of which the smaller is repeated. */
  with(other: Value, combine: <T extends Tensor>(a: Tensor, b: Tensor) => T): Value {
    const alike = this.isImage
      ? other.isImage || other.onnx.size === 1
      : other.isImage && this.onnx.size === 1
    return alike
      ? Value.ofImage(combine(this.#any, other.#any))
      : Value.of(combine(this.onnx, other.onnx))
  }

  get #any(): Tensor {
    return this.#onnx ?? this.image
  }
}
