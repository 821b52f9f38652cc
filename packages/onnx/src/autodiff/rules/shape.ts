import { type AxisSlice, axisSlices, padAmounts, permutation } from '../../analysis/shapes/shape.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { constantElements, staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import {
  concat,
  expand,
  filled,
  matMul,
  pad,
  reshape,
  reverse,
  slice,
  sumTo,
  transpose,
} from '../../ops/builders.ts'
import { type GradientRule, unary } from './gradient-rule.ts'

/** y = [x₁ … xₙ];  ∂xᵢ = the slice of ∂y at xᵢ */
export const Concat: GradientRule = (operation, dy) => {
  const axis = operation.axis(operation.int('axis', 0), dy.shape.length)
  let end = 0
  return operation.inputs.map((_, i) => {
    const start = end
    end += staticShape(operation.input(i))[axis] ?? 0
    return slice(dy, [{ axis, start, end }])
  })
}

/** y = x broadcast to a shape;  ∂x = Σ∂y over the broadcast axes */
export const Expand: GradientRule = unary((x, dy) => sumTo(dy, x.shape))

/** y = the elements of x as a matrix;  ∂x = ∂y in the shape of x */
export const Flatten: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = x at the indices;  ∂x = the sum of every ∂y at its index, 0 elsewhere */
export const Gather: GradientRule = (operation, dy) => {
  const [x, indices] = [operation.input(0), operation.input(1)]
  const shape = staticShape(x)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const single = indices.constant?.data.length === 1 ? Number(indices.constant.data[0]) : undefined
  return [
    single === undefined ? scatterRows(dy, indices, shape, axis) : padAt(dy, single, shape, axis),
  ]
}

/** The gradient of a single index: zeros before and after it. */
function padAt(dy: Value, index: number, shape: readonly number[], axis: number): Value {
  const size = shape[axis] ?? 1
  const position = index < 0 ? index + size : index
  const zeros = shape.map(() => 0)
  return pad(
    reshape(dy, shape.with(axis, 1)),
    zeros.with(axis, position),
    zeros.with(axis, size - position - 1),
  )
}

/** Moves the gathered axis to the front, so that every index selects a row, and adds up the rows. */
function scatterRows(dy: Value, indices: Value, shape: readonly number[], axis: number): Value {
  const rest = shape.toSpliced(axis, 1)
  const indexAxes = dy.shape.map((_, i) => i).slice(axis, axis + indices.shape.length)
  const others = dy.shape.map((_, i) => i).filter((i) => !indexAxes.includes(i))
  const rows = [elementCount(staticShape(indices)), elementCount(rest)]
  const updates = reshape(transpose(dy, [...indexAxes, ...others]), rows)
  const targets = expand(reshape(indices, [rows[0] ?? 1, 1]), rows)
  const zeros = filled(dy.graph, [shape[axis] ?? 1, elementCount(rest)])
  const sum = apply('ScatterElements', [zeros, targets, updates], { axis: 0, reduction: 'add' })
  const front = reshape(sum, [shape[axis] ?? 1, ...rest])
  const back = shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
  return transpose(front, back)
}

/** y = x with constant padding;  ∂x = ∂y without the padding */
export const Pad: GradientRule = unary((_x, dy, _y, operation) => {
  const mode = operation.string('mode', 'constant')
  if (mode !== 'constant')
    throw operation.error(`mode must be "constant" to be differentiated, but is "${mode}"`)
  const amounts = padAmounts(operation)
  return pad(
    dy,
    amounts.map(([begin]) => -begin),
    amounts.map(([, end]) => -end),
  )
})

/** y = the elements of x in another shape;  ∂x = ∂y in the shape of x */
export const Reshape: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = every step-th element of x from a start on;  ∂x = ∂y at the indices of y, 0 elsewhere */
export const Slice: GradientRule = unary((x, dy, _y, operation) => {
  const shape = staticShape(x)
  return axisSlices(operation).reduce(
    (value, slice) => unslice(operation, value, slice, shape[slice.axis] ?? 0),
    dy,
  )
})

/** Puts a sliced axis back to its length `size`, with zeros at the indices that the slice omits. */
function unslice(operation: Operation, value: Value, slice: AxisSlice, size: number): Value {
  const { axis, length } = slice
  // Reversing takes the index of every element.
  if (slice.step < 0) operation.constantLength([length])
  const step = Math.abs(slice.step)
  const first = slice.step > 0 ? slice.start : slice.start + (length - 1) * slice.step
  const forward = slice.step > 0 ? value : reverse(value, axis)
  const spread = step === 1 ? forward : dilate(forward, axis, step)
  const zeros = staticShape(spread).map(() => 0)
  // The last gap may reach beyond the end; negative padding removes it.
  return pad(spread, zeros.with(axis, first), zeros.with(axis, size - first - length * step))
}

/** Puts step − 1 zeros after every element of an axis. */
function dilate(value: Value, axis: number, step: number): Value {
  const shape = staticShape(value)
  const apart = reshape(value, shape.toSpliced(axis + 1, 0, 1))
  const zeros = [...shape, 1].map(() => 0)
  const padded = pad(apart, zeros, zeros.with(axis + 1, step - 1))
  return reshape(padded, shape.with(axis, (shape[axis] ?? 0) * step))
}

/** [y₁ … yₙ] = x;  ∂x = [∂y₁ … ∂yₙ] */
export const Split: GradientRule = (operation, dy, ...more) => [
  concat([dy, ...more], operation.axis(operation.int('axis', 0), dy.shape.length)),
]

/** y = x without some axes of length 1;  ∂x = ∂y in the shape of x */
export const Squeeze: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = x with its axes permuted;  ∂x = ∂y with the inverse permutation */
export const Transpose: GradientRule = unary((_x, dy, _y, operation) => {
  const perm = permutation(operation)
  return transpose(
    dy,
    perm.map((_, axis) => perm.indexOf(axis)),
  )
})

/** y = x with more axes of length 1;  ∂x = ∂y in the shape of x */
export const Unsqueeze: GradientRule = unary((x, dy) => reshape(dy, staticShape(x)))

/** y = A·x along every resized axis, A the weights of interpolation;  ∂x = Aᵀ·∂y along every one */
export const Resize: GradientRule = unary((x, dy, _y, operation) => {
  if (operation.int('antialias', 0) !== 0)
    throw operation.error('antialias must be 0 to be differentiated')
  const resized = staticShape(dy)
  const scales = operation.inputs[3] ? undefined : resizedScales(operation)
  return staticShape(x).reduce((value, size, axis) => {
    const length = resized[axis] ?? size
    if (length === size) return value
    const scale = scales?.[axis] ?? length / size
    const data = interpolation(operation, { size, resized: length, scale })
    return multiplyAxis(
      value,
      axis,
      dy.graph.constant({ type: 'float32', shape: [length, size], data }),
    )
  }, dy)
})

/** The scale of every axis; 1 for axes that the operation does not name. */
function resizedScales(operation: Operation): readonly number[] {
  const scales = constantElements(operation.input(2))
  const rank = operation.input(0).shape.length
  const axes = operation.ints('axes')?.map((axis) => operation.axis(axis, rank))
  return Array.from({ length: rank }, (_, axis) => scales[axes ? axes.indexOf(axis) : axis] ?? 1)
}

/** Multiplies one axis by a matrix from the right. */
function multiplyAxis(value: Value, axis: number, matrix: Value): Value {
  const last = value.shape.length - 1
  const swapped = value.shape.map((_, i) => (i === axis ? last : i === last ? axis : i))
  return axis === last
    ? matMul(value, matrix)
    : transpose(matMul(transpose(value, swapped), matrix), swapped)
}

/** An axis before and after a Resize. Lengths are rounded down, so `scale` may differ from their ratio. */
interface ResizedAxis {
  readonly size: number
  readonly resized: number
  readonly scale: number
}

/** The input coordinate of output pixel `index`, by `coordinate_transformation_mode`. */
function inputCoordinate(
  operation: Operation,
  index: number,
  { size, resized, scale }: ResizedAxis,
): number {
  const mode = operation.string('coordinate_transformation_mode', 'half_pixel')
  switch (mode) {
    case 'half_pixel':
      return (index + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return resized > 1 ? (index + 0.5) / scale - 0.5 : 0
    case 'asymmetric':
      return index / scale
    case 'align_corners':
      return resized > 1 ? (index * (size - 1)) / (resized - 1) : 0
    default:
      throw operation.error(`coordinate_transformation_mode "${mode}" cannot be differentiated`)
  }
}

/** The pixel nearest to a coordinate, by `nearest_mode`. */
function nearest(operation: Operation, coordinate: number): number {
  const mode = operation.string('nearest_mode', 'round_prefer_floor')
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(coordinate - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(coordinate + 0.5)
    case 'floor':
      return Math.floor(coordinate)
    case 'ceil':
      return Math.ceil(coordinate)
    default:
      throw operation.error(`nearest_mode "${mode}" cannot be differentiated`)
  }
}

/** The matrix A of y = A·x with which a Resize changes one axis: resized × size, row-major. */
function interpolation(operation: Operation, axis: ResizedAxis): Float32Array {
  const { size, resized } = axis
  const matrix = new Float32Array(operation.constantLength([resized, size]))
  const mode = operation.string('mode', 'nearest')
  for (let row = 0; row < resized; row++) {
    const add = (column: number, weight: number): void => {
      const index = row * size + Math.min(Math.max(column, 0), size - 1)
      matrix[index] = (matrix[index] ?? 0) + weight
    }
    const coordinate = inputCoordinate(operation, row, axis)
    if (mode === 'nearest') add(nearest(operation, coordinate), 1)
    else if (mode === 'linear') {
      const left = Math.floor(coordinate)
      add(left, 1 - (coordinate - left))
      add(left + 1, coordinate - left)
    } else throw operation.error(`mode must be "nearest" or "linear" to be differentiated`)
  }
  return matrix
}
