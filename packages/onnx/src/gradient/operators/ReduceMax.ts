import { div, mul, reduceSum } from '../../graph/operations.ts'
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
