import {
  add,
  avgPool,
  type backend_util,
  batchNorm,
  conv2d,
  customGrad,
  div,
  type GradSaveFunc,
  maxPool as maxPoolTensor,
  mean,
  moments,
  mul,
  onesLike,
  pad as padTensor,
  rsqrt,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  transpose,
} from '@tensorflow/tfjs-core'
import { LayoutTensor } from './layout-tensor.ts'
import type { NodeContext, Operator } from './node-context.ts'

/** y[p] = Σₖ w[k]·x[stride·p + dilation·k − begin] + b, for images and one group. */
export const conv: Operator = (node) => {
  node.require('group', 1, node.int('group', 1))
  const images = node.input(0).nhwc
  const weight = node.input(1).onnx
  node.require('the number of axes', 4, weight.shape.length)
  const filter = transpose(weight as Tensor4D, [2, 3, 1, 0]) // Checked in the line above.
  const { strides, pad, dilations } = windowOf(node, filter.shape, images.shape.slice(1))
  const y = conv2d(images, filter, strides, pad, 'NHWC', dilations)
  const bias = node.optionalInput(2)
  return LayoutTensor.nhwc(bias ? add(y, bias.onnx) : y)
}

/** The maximum of each window. */
export const maxPool: Operator = (node) => {
  const images = node.input(0).nhwc
  const { size, strides, pad } = poolingWindow(node, images)
  return LayoutTensor.nhwc(maxPoolTensor(images, size, strides, pad))
}

/**
 * The mean of each window, without its padding. TensorFlow.js's gradient of `avgPool` counts padding, so
 * this divides the mean with zeros by the share of the window that is no padding.
 */
export const averagePool: Operator = (node) => {
  const images = node.input(0).nhwc
  node.require('count_include_pad', 0, node.int('count_include_pad', 0))
  const { size, strides, pad } = poolingWindow(node, images)
  const means = (x: Tensor4D): Tensor4D => avgPool(padTensor(x, pad), size, strides, 'valid')
  const isPadded = pad.flat().some((pixels) => pixels !== 0)
  return LayoutTensor.nhwc(isPadded ? div(means(images), means(onesLike(images))) : means(images))
}

/** The mean of each channel. */
export const globalAveragePool: Operator = (node) =>
  LayoutTensor.nhwc(mean<Tensor4D>(node.input(0).nhwc, [1, 2], true))

/**
 * y = γ·(x − μ)/√(σ² + ε) + β, with μ and σ² of each channel: in training those of the batch, which also
 * update the running statistics; else the running ones.
 */
export const batchNormalization: Operator = (node) => {
  const images = node.input(0).nhwc
  const [scale, bias, runningMean, runningVariance] = [1, 2, 3, 4].map(
    (index) => node.input(index).onnx as Tensor1D, // By the operator's definition.
  )
  const epsilon = node.float('epsilon', 1e-5)
  if (!node.usesBatchStatistics) {
    const y = batchNorm(images, runningMean, runningVariance, bias, scale, epsilon)
    return LayoutTensor.nhwc(y)
  }
  const { mean, variance } = moments(images, [0, 1, 2])
  const momentum = node.float('momentum', 0.9)
  for (const [index, running, batch] of [
    [3, runningMean, mean],
    [4, runningVariance, variance],
  ] as const) {
    node.setNext(index, add(running, mul(sub(batch, running), 1 - momentum)))
  }
  // Statistics of channels have one axis.
  const statistics = { mean: mean as Tensor1D, variance: variance as Tensor1D, epsilon }
  return LayoutTensor.nhwc(normalize(images, scale, bias, statistics))
}

/** The moments of a batch, by channel. */
interface BatchStatistics {
  readonly mean: Tensor1D
  readonly variance: Tensor1D
  readonly epsilon: number
}

/**
 * y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε), where μ and σ² are those of the N values of each channel, and its
 * gradient: dβ = Σ dy, dγ = Σ dy·x̂, dx = γ/√(σ² + ε) · (dy − dβ/N − x̂·dγ/N). TensorFlow.js's own, through the
 * moments, takes three times as many operations.
 *
 * @see Ioffe and Szegedy, "Batch Normalization", arXiv:1502.03167, section 3.
 */
function normalize(
  images: Tensor4D,
  scale: Tensor1D,
  bias: Tensor1D,
  { mean, variance, epsilon }: BatchStatistics,
): Tensor4D {
  const operation = customGrad((x, gamma, beta, save) => {
    const [input, weight] = [x as Tensor4D, gamma as Tensor1D] // As passed below.
    const value = batchNorm(input, mean, variance, beta as Tensor1D, weight, epsilon)
    // Tensors that are not saved are gone when the gradient is computed.
    ;(save as GradSaveFunc)([input, weight, mean, variance])
    return {
      value,
      gradFunc(dy: Tensor4D, saved: Tensor[]) {
        const [x, gamma, mean, variance] = saved
        const inverse = rsqrt(add(variance, epsilon))
        const xHat = mul(sub(x, mean), inverse)
        const dBeta = sum(dy, [0, 1, 2])
        const dGamma = sum(mul(dy, xHat), [0, 1, 2])
        const count = x.size / mean.size
        const centered = sub(dy, add(div(dBeta, count), mul(xHat, div(dGamma, count))))
        return [mul(centered, mul(gamma, inverse)), dGamma, dBeta]
      },
    }
  })
  return operation(images, scale, bias) as Tensor4D // The value's rank.
}

/** The sliding window of a convolution or pooling, in the form that TensorFlow.js takes. */
interface Window {
  readonly size: [height: number, width: number]
  readonly strides: [height: number, width: number]
  readonly dilations: [height: number, width: number]
  readonly pad: backend_util.ExplicitPadding
}

function poolingWindow(node: NodeContext, { shape }: Tensor4D): Window {
  const window = windowOf(node, node.ints('kernel_shape') ?? [], shape.slice(1))
  node.require('dilations', '1,1', `${window.dilations}`)
  return window
}

const pair = ([height, width]: readonly number[]): [number, number] => [height, width]

/**
 * Reads the window of a node from its attributes.
 *
 * @param size - [height, width] of the window.
 * @param image - [height, width] of the images.
 */
function windowOf(node: NodeContext, size: readonly number[], image: readonly number[]): Window {
  node.require('auto_pad', 'NOTSET', node.string('auto_pad', 'NOTSET'))
  const strides = pair(node.ints('strides') ?? [1, 1])
  const dilations = pair(node.ints('dilations') ?? [1, 1])
  const [top, left, bottom, right] = node.ints('pads') ?? [0, 0, 0, 0]
  const roundsUp = node.int('ceil_mode', 0) === 1
  /** The additional padding at the end for one more window, if it begins before the end. */
  const extra = (axis: number, begin: number, end: number): number => {
    const extent = (size[axis] - 1) * dilations[axis] + 1
    const free = image[axis] + begin + end - extent
    const nextStart = (Math.floor(free / strides[axis]) + 1) * strides[axis]
    const isLast = free % strides[axis] === 0 || nextStart >= image[axis] + begin
    return roundsUp && !isLast ? nextStart - free : 0
  }
  const vertical: [number, number] = [top, bottom + extra(0, top, bottom)]
  const horizontal: [number, number] = [left, right + extra(1, left, right)]
  return { size: pair(size), strides, dilations, pad: [[0, 0], vertical, horizontal, [0, 0]] }
}
