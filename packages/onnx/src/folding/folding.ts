import type { Operation } from '../ir/operation.ts'
import type { Tensor } from '../model/model.ts'

/** Computes the elements of an output of a given shape from inputs that are known. */
export type Folding = (
  inputs: readonly Tensor[],
  shape: readonly number[],
  operation: Operation,
) => readonly (number | bigint)[]

/** The element at a place; an axis of length 1 is repeated, and axes that are missing in front do not count. */
export function at({ shape, data }: Tensor, place: readonly number[]): number | bigint {
  const skipped = place.length - shape.length
  const index = shape.reduce(
    (offset, size, axis) => offset * size + (size === 1 ? 0 : (place[axis + skipped] ?? 0)),
    0,
  )
  return data[index] ?? 0
}
