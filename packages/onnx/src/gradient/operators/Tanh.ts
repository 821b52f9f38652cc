import { mul, square, sub } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = tanh x;  ∂x = ∂y·(1 − y²) */
export const Tanh: Rule = unary((_x, dy, y) => mul(dy, sub(1, square(y))))
