import { reducedAxes } from '../../analysis/shapes/reduction.ts'
import type { Operation, Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import {
  div,
  equal,
  exp,
  expand,
  mul,
  neg,
  reduceProd,
  reduceSum,
  reshape,
  sign,
  sub,
  where,
} from '../../ops/builders.ts'
import { equalMask, type GradientRule, unary } from './gradient-rule.ts'

/** A rule from ∂x as a function of x, and of ∂y and y with the reduced axes restored. */
const reduction = (
  dx: (x: Value, dy: Value, y: Value, axes: readonly number[]) => Value,
): GradientRule =>
  unary((x, dy, y, operation) =>
    dx(
      x,
      restoreReducedAxes(operation, dy),
      restoreReducedAxes(operation, y),
      reducedAxes(operation),
    ),
  )

/** y = Σ|x|;  ∂x = ∂y·sgn x */
export const ReduceL1: GradientRule = reduction((x, dy) => mul(dy, sign(x)))

/** y = √Σx²;  ∂x = ∂y·x / y, and 0 where y = 0 */
export const ReduceL2: GradientRule = reduction((x, dy, y) =>
  mul(x, div(dy, where(equal(y, 0), y.graph.scalar(1), y))),
)

/** y = ln Σx;  ∂x = ∂y·e^(−y), everywhere */
export const ReduceLogSum: GradientRule = reduction((x, dy, y) =>
  expand(mul(dy, exp(neg(y))), staticShape(x)),
)

/** y = ln Σeˣ;  ∂x = ∂y·e^(x − y) */
export const ReduceLogSumExp: GradientRule = reduction((x, dy, y) => mul(dy, exp(sub(x, y))))

const extremum: GradientRule = reduction((x, dy, y, axes) => {
  const mask = equalMask(x, y)
  return mul(mask, div(dy, reduceSum(mask, axes)))
})

/** y = the maximum of x;  ∂x = ∂y where x = y, in equal shares among equals */
export const ReduceMax: GradientRule = extremum

/** y = the minimum of x;  ∂x = ∂y where x = y, in equal shares among equals */
export const ReduceMin: GradientRule = extremum

/** y = the product of x;  ∂x = ∂y·the product of all others: 0 if one of them is 0 */
export const ReduceProd: GradientRule = reduction((x, dy, _y, axes) => {
  const zero = equalMask(x, x.graph.scalar(0))
  const others = sub(reduceSum(zero, axes), zero)
  const nonZero = where(equal(x, 0), x.graph.scalar(1), x)
  return mul(dy, where(equal(others, 0), div(reduceProd(nonZero, axes), nonZero), 0))
})

/** y = Σx²;  ∂x = 2·∂y·x */
export const ReduceSumSquare: GradientRule = reduction((x, dy) => mul(mul(dy, 2), x))

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
