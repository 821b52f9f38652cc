import { reducedAxes } from '../../analysis/shapes/reduction.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { div, expand, mul, reduceSum, reshape } from '../../ops/builders.ts'
import { equalMask, type GradientRule, unary } from './gradient-rule.ts'

/** y = the maximum of x;  ∂x = ∂y where x = y, in equal shares among equals */
export const ReduceMax: GradientRule = unary((x, dy, y, operation) => {
  const mask = equalMask(x, restoreReducedAxes(operation, y))
  const share = div(restoreReducedAxes(operation, dy), reduceSum(mask, reducedAxes(operation)))
  return mul(mask, share)
})

/** y = the mean of n elements;  ∂x = ∂y / n, everywhere */
export const ReduceMean: GradientRule = unary((x, dy, _y, operation) => {
  const n = elementCount(staticShape(x)) / elementCount(staticShape(dy))
  return expand(restoreReducedAxes(operation, mul(dy, 1 / n)), staticShape(x))
})

/** y = Σx;  ∂x = ∂y, everywhere */
export const ReduceSum: GradientRule = unary((x, dy, _y, operation) =>
  expand(restoreReducedAxes(operation, dy), staticShape(x)),
)

/** Restores the axes that a reduction dropped, with length 1, so that a value broadcasts over its input. */
function restoreReducedAxes(operation: Operation, value: Value): Value {
  const axes = new Set(reducedAxes(operation))
  return reshape(
    value,
    staticShape(operation.input(0)).map((size, axis) => (axes.has(axis) ? 1 : size)),
  )
}
