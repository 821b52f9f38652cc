import type { Operation, Value } from '../../ir/graph.ts'
import { constantElements, staticShape } from '../../ir/value.ts'
import { matMul, transpose } from '../../ops/builders.ts'
import { type GradientRule, unary } from './gradient-rule.ts'

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
