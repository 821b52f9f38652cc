import { add, greater, mul, where } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x where x > 0, α(eˣ − 1) elsewhere;  ∂x = ∂y where x > 0, ∂y·(y + α) elsewhere */
export const Elu: Rule = unary((x, dy, y, operation) =>
  where(greater(x, 0), dy, mul(dy, add(y, operation.float('alpha', 1)))),
)
