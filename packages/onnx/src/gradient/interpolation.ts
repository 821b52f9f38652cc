import type { Operation } from '../ir/operation.ts'

/** An axis, before and after; rounding down lets `scale` differ from the lengths' ratio. */
export interface ResizedAxis {
  readonly size: number
  readonly resized: number
  readonly scale: number
}

/** Where the middle of pixel `at` lies on the source, as `coordinate_transformation_mode` says. */
function sourceCoordinate(
  operation: Operation,
  at: number,
  { size, resized, scale }: ResizedAxis,
): number {
  const mode = operation.string('coordinate_transformation_mode', 'half_pixel')
  switch (mode) {
    case 'half_pixel':
      return (at + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return resized > 1 ? (at + 0.5) / scale - 0.5 : 0
    case 'asymmetric':
      return at / scale
    case 'align_corners':
      return resized > 1 ? (at * (size - 1)) / (resized - 1) : 0
    default:
      throw operation.error(`coordinate_transformation_mode "${mode}" cannot be differentiated`)
  }
}

/** The whole number that a coordinate counts for, as `nearest_mode` says. */
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

/** The matrix A of y = A·x by which a Resize makes one axis of `size` into one of `resized`. */
export function interpolation(operation: Operation, axis: ResizedAxis): Float32Array {
  const { size, resized } = axis
  const matrix = new Float32Array(resized * size)
  const mode = operation.string('mode', 'nearest')
  for (let row = 0; row < resized; row++) {
    const add = (column: number, share: number): void => {
      const index = row * size + Math.min(Math.max(column, 0), size - 1)
      matrix[index] = (matrix[index] ?? 0) + share
    }
    const coordinate = sourceCoordinate(operation, row, axis)
    if (mode === 'nearest') add(nearest(operation, coordinate), 1)
    else if (mode === 'linear') {
      const left = Math.floor(coordinate)
      add(left, 1 - (coordinate - left))
      add(left + 1, coordinate - left)
    } else throw operation.error(`mode must be "nearest" or "linear" to be differentiated`)
  }
  return matrix
}
