import {
  convolutionWindow,
  dilatedKernel,
  poolingWindow,
  type SlidingWindow,
  transposedWindow,
} from '../../analysis/shapes/convolution.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { axisSize, spatialShape, staticShape } from '../../ir/value.ts'
import { elementCount, multiIndices } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  cast,
  div,
  expand,
  filled,
  greaterOrEqual,
  mul,
  nonChannelAxes,
  pad,
  reduceSum,
  reshape,
} from '../../ops/builders.ts'
import { equalMask, type GradientRule, unary } from './gradient-rule.ts'
import { convolveTransposed, imageGradients } from './image-gradient.ts'
import { weightGradients } from './weight-gradient.ts'

/** y[p] = the mean of x in the window of p;  ∂x = every ∂y[p], divided evenly over that window */
export const AveragePool: GradientRule = (operation, dy) => {
  const x = operation.input(0)
  const window = poolingWindow(operation)
  if (isTiling(window, spatialShape(x)))
    return [repeatPixels(div(dy, elementCount(window.kernel)), window.kernel)]
  const groups = axisSize(x, 1)
  const shape = [groups, 1, ...window.kernel]
  const ones = dy.graph.constant({
    type: 'float32',
    shape,
    data: new Float32Array(operation.constantLength(shape)).fill(1),
  })
  const gradient = div(dy, windowCounts(operation, window, staticShape(dy).slice(2)))
  return [
    convolveTransposed({ gradient, weight: ones, window, groups, inputSpace: spatialShape(x) }),
  ]
}

/** Whether the windows of a pooling cover every pixel exactly once. */
const isTiling = (
  { kernel, strides, dilations, begin, end }: SlidingWindow,
  space: readonly number[],
): boolean =>
  kernel.every((size, axis) => size === strides[axis] && (space[axis] ?? 0) % size === 0) &&
  dilations.every((dilation, axis) => dilation === 1 || kernel[axis] === 1) &&
  [...begin, ...end].every((amount) => amount === 0)

/** Repeats every pixel over a window: nearest-neighbour upsampling. */
const repeatPixels = (image: Value, window: readonly number[]): Value => {
  const scales = image.graph.constant({
    type: 'float32',
    shape: [window.length + 2],
    data: Float32Array.of(1, 1, ...window),
  })
  return apply('Resize', [image, undefined, scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}

/** The number of elements in each mean; with padding if `count_include_pad` is set. */
function windowCounts(
  operation: Operation,
  window: SlidingWindow,
  outputSpace: readonly number[],
): Value {
  const padded = operation.int('count_include_pad', 0) !== 0
  operation.constantLength(outputSpace)
  const countsPerAxis = spatialShape(operation.input(0)).map((size, axis) => {
    operation.constantLength([outputSpace[axis] ?? 1, window.kernel[axis] ?? 1])
    const [begin, end] = [window.begin[axis] ?? 0, window.end[axis] ?? 0]
    const [low, high] = padded ? [-begin, size + end] : [0, size]
    return Array.from({ length: outputSpace[axis] ?? 1 }, (_, p) => {
      const first = p * (window.strides[axis] ?? 1) - begin
      const indices = Array.from(
        { length: window.kernel[axis] ?? 1 },
        (_, k) => first + k * (window.dilations[axis] ?? 1),
      )
      return indices.filter((index) => index >= low && index < high).length
    })
  })
  const counts = countsPerAxis.reduce<readonly number[]>(
    (all, ofAxis) => all.flatMap((n) => ofAxis.map((count) => n * count)),
    [1],
  )
  return operation.graph.constant({
    type: 'float32',
    shape: outputSpace,
    data: Float32Array.from(counts),
  })
}

/**
 * y[p] = Σₖ w[k]·x[stride·p + dilation·k − begin] + b;  ∂x sums w·∂y and ∂w sums x·∂y over the same
 * index pairs, ∂b = Σ∂y over batch and pixels
 */
export const Conv: GradientRule = (operation, dy) => {
  const [image, weight] = [operation.input(0), operation.input(1)]
  const { imageGradient, weightGradient } = operation.graph.lowering
  const window = convolutionWindow(operation)
  const groups = operation.int('group', 1)
  return [
    imageGradients[imageGradient]({
      gradient: dy,
      weight,
      window,
      groups,
      inputSpace: spatialShape(image),
    }),
    weightGradients[weightGradient]({ image, gradient: dy, window, groups }),
    reduceSum(dy, nonChannelAxes(dy), 'drop'),
  ]
}

/**
 * y[stride·p + dilation·k − begin] = Σ w[k]·x[p] + b: the transpose of a convolution;  ∂x is that
 * convolution of ∂y, ∂w the gradient of its weight with x and ∂y exchanged, ∂b = Σ∂y
 */
export const ConvTranspose: GradientRule = (operation, dy) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const { window, outputSpace } = transposedWindow(operation)
  const groups = operation.int('group', 1)
  // The pixels that every kernel reaches: what `output_padding` adds beyond them has no gradient.
  const end = dilatedKernel(window).map(
    (span, axis) =>
      (window.strides[axis] ?? 1) * (axisSize(x, axis + 2) - 1) +
      span -
      (window.begin[axis] ?? 0) -
      (outputSpace[axis] ?? 1),
  )
  const reached = pad(dy, [0, 0, ...end.map(() => 0)], [0, 0, ...end.map((n) => Math.min(n, 0))])
  const reaching = { ...window, end: end.map((n) => Math.max(n, 0)) }
  const dx = apply('Conv', [reached, w], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...reaching.begin, ...reaching.end],
    group: groups,
  })
  const dw = weightGradients[operation.graph.lowering.weightGradient]({
    image: reached,
    gradient: x,
    window: reaching,
    groups,
  })
  return [dx, dw, reduceSum(dy, nonChannelAxes(dy), 'drop')]
}

/** y = the mean of x over all pixels;  ∂x = ∂y / number of pixels, everywhere */
export const GlobalAveragePool: GradientRule = unary((x, dy) => {
  const shape = staticShape(x)
  return expand(mul(dy, 1 / elementCount(shape.slice(2))), shape)
})

/** y = the maximum of x over all pixels;  ∂x = ∂y where x = y, in equal shares among equals */
export const GlobalMaxPool: GradientRule = unary((x, dy, y) => {
  const mask = equalMask(x, y)
  const spatialAxes = x.shape.map((_, axis) => axis).slice(2)
  return mul(mask, div(dy, reduceSum(mask, spatialAxes)))
})

/** y[p] = the maximum of x in the window of p;  ∂x = the sum of every ∂y[p] at its argmax */
export const MaxPool: GradientRule = (operation, dy) => {
  if (operation.int('storage_order', 0) !== 0)
    throw operation.error('storage_order must be 0 to be differentiated')
  const x = operation.input(0)
  const window = poolingWindow(operation)
  if (isTiling(window, spatialShape(x)) && elementCount(window.kernel) <= maxTiledKernel)
    return [tiledMaxPoolGradient(x, operation.output(), dy, window.kernel)]
  const shape = staticShape(x)
  const pooled = [elementCount(staticShape(dy))]
  const scattered = apply(
    'ScatterElements',
    [
      filled(dy.graph, [elementCount(shape)]),
      reshape(operation.output(1), pooled),
      reshape(dy, pooled),
    ],
    { axis: 0, reduction: 'add' },
  )
  return [reshape(scattered, shape)]
}

/** Larger kernels have fewer outputs, whose indices cost less than the passes over the image. */
const maxTiledKernel = 16

/**
 * The gradient for windows that cover every pixel once. ONNX Runtime computes indices and scatters on one
 * thread; these passes over the image use all. Of equal maxima the first in the window is taken: of the
 * pixels that equal their maximum, the one with the highest rank.
 */
function tiledMaxPoolGradient(x: Value, y: Value, dy: Value, kernel: readonly number[]): Value {
  const isMaximum = (value: Value, maximum: Value): Value =>
    cast(greaterOrEqual(value, repeatPixels(maximum, kernel)), 'float32')
  const ranks = mul(isMaximum(x, y), fallingRanks(x, kernel))
  const highest = apply('MaxPool', [ranks], { kernel_shape: kernel, strides: kernel })
  return mul(repeatPixels(dy, kernel), isMaximum(ranks, highest))
}

/** Numbers the pixels of each window from the number of its elements down to 1. */
function fallingRanks(image: Value, kernel: readonly number[]): Value {
  const space = spatialShape(image)
  const count = elementCount(kernel)
  const ranks = multiIndices(space).map(
    (pixel) =>
      count -
      pixel.reduce((rank, at, axis) => rank * (kernel[axis] ?? 1) + (at % (kernel[axis] ?? 1)), 0),
  )
  return image.graph.constant({ type: 'float32', shape: space, data: Float32Array.from(ranks) })
}
