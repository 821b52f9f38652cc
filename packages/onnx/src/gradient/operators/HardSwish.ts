import { add, greater, less, mul, where } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x·min(max(x/6 + ½, 0), 1);  ∂x = 0 below −3, ∂y above 3, ∂y·(x/3 + ½) between */
export const HardSwish: Rule = unary((x, dy) => {
  const between = where(less(x, 3), mul(dy, add(mul(x, 1 / 3), 0.5)), dy)
  return where(greater(x, -3), between, 0)
})
