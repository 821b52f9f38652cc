import { OnnxError } from '../error.ts'
import type { DataType } from '../model/data-type.ts'
import type { Shape, Tensor } from '../model/model.ts'
import type { Graph } from './graph.ts'

/** What is known of a value before the model runs: its type, its shape, and its elements if it is constant. */
export interface Inferred {
  readonly type: DataType
  readonly shape: Shape
  readonly known?: Tensor
}

/** A value in a graph under construction. */
export interface Value {
  readonly graph: Graph
  readonly name: string
  readonly type: DataType
  readonly shape: Shape
  /** Its elements, where they are settled before the model runs. */
  readonly known?: Tensor
  /** What a parameter starts from: its elements may change, so they are never reckoned with. */
  readonly initial?: Tensor<'float32'>
}

/**
 * The shape of a value in numbers.
 * @throws {OnnxError} When a length is still a name.
 */
export function sizes({ name, shape }: Pick<Value, 'name' | 'shape'>): readonly number[] {
  return shape.map((size) => {
    if (typeof size === 'string') throw new OnnxError(openDimension(name, size))
    return size
  })
}

/**
 * One length of a value in numbers; negative axes count from the end.
 * @throws {OnnxError} When it is still a name, or there is no such axis.
 */
export function sizeOf({ name, shape }: Pick<Value, 'name' | 'shape'>, axis: number): number {
  const size = shape.at(axis)
  if (typeof size === 'number') return size
  throw new OnnxError(
    size === undefined
      ? `value "${name}": must have an axis ${axis}, but has ${shape.length} axes`
      : openDimension(name, size),
  )
}

const openDimension = (name: string, size: string): string =>
  `value "${name}": dimension "${size}" must have a size, but has none`

/**
 * The elements of a value that must be settled before the model runs, such as the shape of a Reshape.
 * @throws {OnnxError} When they are not.
 */
export function settled({ name, known }: Value): readonly number[] {
  if (known === undefined)
    throw new OnnxError(`value "${name}": must be known before the model runs, but is not`)
  return Array.from(known.data, Number)
}
