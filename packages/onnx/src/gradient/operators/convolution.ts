import type { Operation } from '../../ir/operation.ts'
import { settled, sizeOf, sizes, type Value } from '../../ir/value.ts'
import { convolveTransposed, imageGradients } from '../../lowering/image-gradient.ts'
import { weightGradients } from '../../lowering/weight-gradient.ts'
import { elementCount } from '../../model/model.ts'
import { allButChannels } from '../../ops/channels.ts'
import {
  apply,
  div,
  expand,
  filled,
  matMul,
  mul,
  reduceSum,
  reshape,
  transpose,
} from '../../ops/operations.ts'
import { convolutionWindow } from '../../shapes/convolution.ts'
import { places } from '../../shapes/places.ts'
import { poolingWindow } from '../../shapes/pooling.ts'
import { space, type Window } from '../../shapes/window.ts'
import { chosen } from '../extremum.ts'
import { interpolation } from '../interpolation.ts'
import { type Rule, unary } from '../rule.ts'

/** y[p] = the mean of x in the window of p;  every ∂y[p] is spread evenly over that window */
export const AveragePool: Rule = (operation, dy) => {
  const x = operation.input(0)
  const window = poolingWindow(operation)
  const groups = sizeOf(x, 1)
  const shape = [groups, 1, ...window.kernel]
  const ones = dy.graph.constant({
    type: 'float32',
    shape,
    data: new Float32Array(elementCount(shape)).fill(1),
  })
  const gradient = div(dy, elementsInWindow(operation, window, sizes(dy).slice(2)))
  return [convolveTransposed({ gradient, weight: ones, window, groups, space: space(x) })]
}

/** How many elements each mean is taken over; padding counts where the operation says so. */
function elementsInWindow(operation: Operation, window: Window, points: readonly number[]): Value {
  const padded = operation.int('count_include_pad', 0) !== 0
  const along = space(operation.input(0)).map((size, axis) => {
    const [begin, end] = [window.begin[axis] ?? 0, window.end[axis] ?? 0]
    const [low, high] = padded ? [-begin, size + end] : [0, size]
    return Array.from({ length: points[axis] ?? 1 }, (_, p) => {
      const first = p * (window.strides[axis] ?? 1) - begin
      const places = Array.from(
        { length: window.kernel[axis] ?? 1 },
        (_, k) => first + k * (window.dilations[axis] ?? 1),
      )
      return places.filter((place) => place >= low && place < high).length
    })
  })
  const counts = places(points).map((place) =>
    place.reduce((n, p, axis) => n * (along[axis]?.[p] ?? 1), 1),
  )
  return operation.graph.constant({
    type: 'float32',
    shape: points,
    data: Float32Array.from(counts),
  })
}

/**
 * y[p] = Σₖ w[k]·x[stride·p + dilation·k − begin] + b;  ∂x and ∂w sum the same products over p with
 * ∂y in the place of the one that is missing, ∂b = Σ∂y over batch and space
 */
export const Conv: Rule = (operation, dy) => {
  const [image, weight] = [operation.input(0), operation.input(1)]
  const { imageGradient, weightGradient } = operation.graph.lowering
  const window = convolutionWindow(operation)
  const groups = operation.int('group', 1)
  return [
    imageGradients[imageGradient]({ gradient: dy, weight, window, groups, space: space(image) }),
    weightGradients[weightGradient]({ image, gradient: dy, window, groups }),
    reduceSum(dy, allButChannels(dy), 'drop'),
  ]
}

/**
 * y[stride·p + dilation·k − begin] = Σ w[k]·x[p] + b: the transpose of a convolution;  ∂x is that
 * convolution of ∂y, ∂w its weight's gradient with x and ∂y in each other's place, ∂b = Σ∂y
 */
export const ConvTranspose: Rule = (operation, dy) => {
  const [x, w] = [operation.input(0), operation.input(1)]
  const window = convolutionWindow(operation)
  const groups = operation.int('group', 1)
  const dx = apply('Conv', [dy, w], {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...window.end],
    group: groups,
  })
  const dw = weightGradients[operation.graph.lowering.weightGradient]({
    image: dy,
    gradient: x,
    window,
    groups,
  })
  return [dx, dw, reduceSum(dy, allButChannels(dy), 'drop')]
}

/** y = the mean of x over space;  ∂x = ∂y / number of pixels, everywhere */
export const GlobalAveragePool: Rule = unary((x, dy) => {
  const shape = sizes(x)
  return expand(mul(dy, 1 / elementCount(shape.slice(2))), shape)
})

/** y = the largest x over space;  ∂x = ∂y where x = y, in equal shares among equals */
export const GlobalMaxPool: Rule = unary((x, dy, y) => {
  const mask = chosen(x, y)
  const space = x.shape.map((_, axis) => axis).slice(2)
  return mul(mask, div(dy, reduceSum(mask, space)))
})

/** y[p] = the largest x in the window of p;  every ∂y[p] is added to ∂x at the place it was found */
export const MaxPool: Rule = (operation, dy) => {
  if (operation.int('storage_order', 0) !== 0)
    throw operation.error('storage_order must be 0 to be differentiated')
  const shape = sizes(operation.input(0))
  const pooled = [elementCount(sizes(dy))]
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

/** y = A·x along every resized axis, A the weights of interpolation;  ∂x = Aᵀ·∂y along every one */
export const Resize: Rule = unary((x, dy, _y, operation) => {
  if (operation.int('antialias', 0) !== 0)
    throw operation.error('antialias must be 0 to be differentiated')
  const resized = sizes(dy)
  const scales = operation.inputs[3] ? undefined : resizedScales(operation)
  return sizes(x).reduce((value, size, axis) => {
    const length = resized[axis] ?? size
    if (length === size) return value
    const scale = scales?.[axis] ?? length / size
    const data = interpolation(operation, { size, resized: length, scale })
    return along(value, axis, dy.graph.constant({ type: 'float32', shape: [length, size], data }))
  }, dy)
})

/** The scales that the operation names, for every axis. */
function resizedScales(operation: Operation): readonly number[] {
  const given = settled(operation.input(2))
  const rank = operation.input(0).shape.length
  const axes = operation.ints('axes')?.map((axis) => operation.axis(axis, rank))
  return Array.from({ length: rank }, (_, axis) => given[axes ? axes.indexOf(axis) : axis] ?? 1)
}

/** Multiplies an axis by a matrix from the right. */
function along(value: Value, axis: number, matrix: Value): Value {
  const last = value.shape.length - 1
  const swapped = value.shape.map((_, i) => (i === axis ? last : i === last ? axis : i))
  return axis === last
    ? matMul(value, matrix)
    : transpose(matMul(transpose(value, swapped), matrix), swapped)
}
