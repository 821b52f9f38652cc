import { less, mul, where } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x where x ≥ 0, αx elsewhere;  ∂x = ∂y where x ≥ 0, α·∂y elsewhere */
export const LeakyRelu: Rule = unary((x, dy, _y, operation) =>
  where(less(x, 0), mul(dy, operation.float('alpha', 0.01)), dy),
)
