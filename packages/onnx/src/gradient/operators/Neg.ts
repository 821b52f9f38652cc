import { neg } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = −x;  ∂x = −∂y */
export const Neg: Rule = unary((_x, dy) => neg(dy))
