import { greater, where } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = max(x, 0);  ∂x = ∂y where y > 0, and 0 elsewhere */
export const Relu: Rule = unary((_x, dy, y) => where(greater(y, 0), dy, 0))
