import { mul, sign } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = max(x, 0);  ∂x = ∂y where y > 0, and 0 elsewhere: y is never negative, so its sign is 1 or 0 */
export const Relu: Rule = unary((_x, dy, y) => mul(dy, sign(y)))
