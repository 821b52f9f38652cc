import { mul, sign } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = |x|;  ∂x = ∂y·sgn x */
export const Abs: Rule = unary((x, dy) => mul(dy, sign(x)))
