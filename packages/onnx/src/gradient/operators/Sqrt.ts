import { div, mul } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = √x;  ∂x = ½·∂y / y */
export const Sqrt: Rule = unary((_x, dy, y) => div(mul(dy, 0.5), y))
