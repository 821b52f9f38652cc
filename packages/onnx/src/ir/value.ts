import { OnnxError } from '../model/error.ts'
import type { Value } from './graph.ts'

/** Any value of a known shape, by its name in error messages. */
type Shaped = Pick<Value, 'name' | 'shape'>

/**
 * The shape of a value as numbers.
 *
 * @throws {OnnxError} If a dimension is symbolic.
 */
export function staticShape({ name, shape }: Shaped): readonly number[] {
  return shape.map((size) => {
    if (typeof size === 'string') throw new OnnxError(symbolicDimension(name, size))
    return size
  })
}

/**
 * The length of one axis; negative axes count from the end.
 *
 * @throws {OnnxError} If the dimension is symbolic or there is no such axis.
 */
export function axisSize({ name, shape }: Shaped, axis: number): number {
  const size = shape.at(axis)
  if (typeof size === 'number') return size
  throw new OnnxError(
    size === undefined
      ? `value "${name}": must have an axis ${axis}, but has ${shape.length} axes`
      : symbolicDimension(name, size),
  )
}

const symbolicDimension = (name: string, size: string): string =>
  `value "${name}": dimension "${size}" must have a size, but has none`

/** The lengths of an image's spatial axes: all but batch and channels. */
export const spatialShape = ({ name, shape }: Shaped): readonly number[] =>
  staticShape({ name, shape: shape.slice(2) })

/**
 * The elements of a constant, such as the shape input of a Reshape.
 *
 * @throws {OnnxError} If the value is not constant.
 */
export function constantElements({
  name,
  constant,
}: Pick<Value, 'name' | 'constant'>): readonly number[] {
  if (constant === undefined)
    throw new OnnxError(`value "${name}": must be known before the model runs, but is not`)
  return Array.from(constant.data, Number)
}
