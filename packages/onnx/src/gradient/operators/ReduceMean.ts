import { expand, mul } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import { withReducedAxes } from '../reduced.ts'
import { type Rule, unary } from '../rule.ts'

/** y = the mean of n elements;  ∂x = ∂y / n, everywhere */
export const ReduceMean: Rule = unary((x, dy, _y, operation) => {
  const n = count(sizes(x)) / count(sizes(dy))
  return expand(withReducedAxes(operation, mul(dy, 1 / n)), sizes(x))
})
