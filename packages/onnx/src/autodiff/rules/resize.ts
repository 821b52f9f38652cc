import { type ResizedAxis, resizedAxes } from '../../analysis/shapes/resize.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { constantElements, staticShape } from '../../ir/value.ts'
import { matMul, reduceSum, transpose } from '../../ops/builders.ts'
import { type GradientRule, unary } from './gradient-rule.ts'

/** y = A·x along every resized axis, A the weights of interpolation;  ∂x = Aᵀ·∂y along every one */
export const Resize: GradientRule = unary((x, dy, _y, operation) => {
  const axes = resizedAxes(operation)
  const crops = cropRegions(operation)
  return staticShape(x).reduce((value, size, axis) => {
    const resized = axes.get(axis)
    // ONNX Runtime leaves out the regions of axes that keep their length.
    if (!resized || resized.scale === 1) return value
    if (size === 1) return reduceSum(value, [axis])
    const data = interpolation(operation, resized, crops?.[axis])
    const shape = [resized.resized, size]
    return multiplyAxis(value, axis, dy.graph.constant({ type: 'float32', shape, data }))
  }, dy)
})

/** Multiplies one axis by a matrix from the right. */
function multiplyAxis(value: Value, axis: number, matrix: Value): Value {
  const last = value.shape.length - 1
  const swapped = value.shape.map((_, i) => (i === axis ? last : i === last ? axis : i))
  return axis === last
    ? matMul(value, matrix)
    : transpose(matMul(transpose(value, swapped), matrix), swapped)
}

/** The region of an axis that is resized, as shares of its length. */
type Crop = readonly [start: number, end: number]

/** The regions of a `tf_crop_and_resize`, by axis. */
function cropRegions(operation: Operation): readonly (Crop | undefined)[] | undefined {
  if (transformation(operation) !== 'tf_crop_and_resize') return undefined
  const regions = constantElements(operation.input(1))
  const rank = operation.input(0).shape.length
  const axes =
    operation.ints('axes')?.map((axis) => operation.axis(axis, rank)) ??
    Array.from({ length: rank }, (_, axis) => axis)
  return Array.from({ length: rank }, (_, axis) => {
    const i = axes.indexOf(axis)
    return i < 0 ? undefined : [regions[i] ?? 0, regions[i + axes.length] ?? 1]
  })
}

const transformation = (operation: Operation): string =>
  operation.string('coordinate_transformation_mode', 'half_pixel')

/** The input coordinate of an output pixel by its index, by `coordinate_transformation_mode`. */
function inputCoordinates(
  operation: Operation,
  { size, resized, scale }: ResizedAxis,
  [start, end]: Crop = [0, 1],
): (index: number) => number {
  const mode = transformation(operation)
  switch (mode) {
    case 'half_pixel':
      return (index) => (index + 0.5) / scale - 0.5
    case 'half_pixel_symmetric': {
      const offset = (size / 2) * (1 - resized / (scale * size)) - 0.5
      return (index) => offset + (index + 0.5) / scale
    }
    case 'pytorch_half_pixel':
      return (index) => (resized > 1 ? (index + 0.5) / scale - 0.5 : 0)
    case 'asymmetric':
      return (index) => index / scale
    case 'align_corners':
      return (index) => (resized > 1 ? (index * (size - 1)) / (resized - 1) : 0)
    case 'tf_crop_and_resize':
      return resized > 1
        ? (index) => (start + (index * (end - start)) / (resized - 1)) * (size - 1)
        : () => 0.5 * (start + end) * (size - 1)
    default:
      throw operation.error(`coordinate_transformation_mode "${mode}" cannot be differentiated`)
  }
}

/** The pixel nearest to a coordinate, by `nearest_mode`. */
function nearestPixel(operation: Operation): (coordinate: number) => number {
  const mode = operation.string('nearest_mode', 'round_prefer_floor')
  switch (mode) {
    case 'round_prefer_floor':
      return (coordinate) => Math.ceil(coordinate - 0.5)
    case 'round_prefer_ceil':
      return (coordinate) => Math.floor(coordinate + 0.5)
    case 'floor':
      return Math.floor
    case 'ceil':
      return Math.ceil
    default:
      throw operation.error(`nearest_mode "${mode}" cannot be differentiated`)
  }
}

/** The weight of a pixel at a distance, for linear (reach 1) and cubic interpolation (reach 2, by Keys). */
function kernelWeight(distance: number, reach: number, a: number): number {
  const t = Math.abs(distance)
  if (reach === 1) return Math.max(1 - t, 0)
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0
}

/** The matrix A of y = A·x with which a Resize changes one axis: resized × size, row-major. */
function interpolation(operation: Operation, axis: ResizedAxis, crop?: Crop): Float32Array {
  const { size, resized, scale } = axis
  const matrix = new Float32Array(operation.constantLength([resized, size]))
  const mode = operation.string('mode', 'nearest')
  const reach = mode === 'cubic' ? 2 : 1
  const a = operation.float('cubic_coeff_a', -0.75)
  const antialias = operation.int('antialias', 0) !== 0 && mode !== 'nearest'
  const stretch = antialias ? Math.max(1 / scale, 1) : 1
  const excluded = (antialias || mode === 'cubic') && operation.int('exclude_outside', 0) !== 0
  const coordinateOf = inputCoordinates(operation, axis, crop)
  const nearest = nearestPixel(operation)
  const add = (row: number, column: number, weight: number): void => {
    const index = row * size + Math.min(Math.max(column, 0), size - 1)
    matrix[index] = (matrix[index] ?? 0) + weight
  }
  for (let row = 0; row < resized; row++) {
    const coordinate = coordinateOf(row)
    if (crop && !(coordinate >= 0 && coordinate <= size - 1)) continue
    if (mode === 'nearest') {
      add(row, nearest(coordinate), 1)
      continue
    }
    const [low, high] = [coordinate - reach * stretch, coordinate + reach * stretch]
    const first = Math.ceil(excluded ? Math.max(low, 0) : low)
    const last = excluded ? Math.min(high, size - 1) : high
    const weightOf = (column: number): number =>
      kernelWeight((column - coordinate) / stretch, reach, a)
    let sum = excluded || antialias ? 0 : 1
    if (sum === 0) for (let column = first; column <= last; column++) sum += weightOf(column)
    for (let column = first; column <= last; column++) add(row, column, weightOf(column) / sum)
  }
  return matrix
}
