import type { Operation } from '../ir/operation.ts'
import { sizes, type Value } from '../ir/value.ts'
import { reshape } from '../ops/operations.ts'
import { reducedAxes } from '../shapes/reduction.ts'

/** Gives back the axes that a reduction dropped, with length 1, so that a value broadcasts over its input. */
export function withReducedAxes(operation: Operation, value: Value): Value {
  const axes = new Set(reducedAxes(operation))
  return reshape(
    value,
    sizes(operation.input(0)).map((size, axis) => (axes.has(axis) ? 1 : size)),
  )
}
