import { type Rule, unary } from '../rule.ts'

/** y = x;  ∂x = ∂y */
export const Identity: Rule = unary((_x, dy) => dy)
