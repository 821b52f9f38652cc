import { and, greater, less, mul, where } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = min(max(αx + β, 0), 1);  ∂x = α·∂y where 0 < y < 1, and 0 elsewhere */
export const HardSigmoid: Rule = unary((_x, dy, y, operation) =>
  where(and(greater(y, 0), less(y, 1)), mul(dy, operation.float('alpha', 0.2)), 0),
)
