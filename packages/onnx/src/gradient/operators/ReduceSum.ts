import { expand } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { withReducedAxes } from '../reduced.ts'
import { type Rule, unary } from '../rule.ts'

/** y = Σx;  ∂x = ∂y, everywhere */
export const ReduceSum: Rule = unary((x, dy, _y, operation) =>
  expand(withReducedAxes(operation, dy), sizes(x)),
)
