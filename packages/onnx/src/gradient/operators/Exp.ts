import { mul } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = eˣ;  ∂x = ∂y·y */
export const Exp: Rule = unary((_x, dy, y) => mul(dy, y))
