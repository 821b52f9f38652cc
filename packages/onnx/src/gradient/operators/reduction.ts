import { sizes } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { div, expand, mul, reduceSum } from '../../ops/operations.ts'
import { reducedAxes } from '../../shapes/reduction.ts'
import { chosen } from '../extremum.ts'
import { withReducedAxes } from '../reduced.ts'
import { type Rule, unary } from '../rule.ts'

/** y = the largest x;  ∂x = ∂y where x = y, in equal shares among equals */
export const ReduceMax: Rule = unary((x, dy, y, operation) => {
  const mask = chosen(x, withReducedAxes(operation, y))
  const share = div(withReducedAxes(operation, dy), reduceSum(mask, reducedAxes(operation)))
  return mul(mask, share)
})

/** y = the mean of n elements;  ∂x = ∂y / n, everywhere */
export const ReduceMean: Rule = unary((x, dy, _y, operation) => {
  const n = elementCount(sizes(x)) / elementCount(sizes(dy))
  return expand(withReducedAxes(operation, mul(dy, 1 / n)), sizes(x))
})

/** y = Σx;  ∂x = ∂y, everywhere */
export const ReduceSum: Rule = unary((x, dy, _y, operation) =>
  expand(withReducedAxes(operation, dy), sizes(x)),
)
