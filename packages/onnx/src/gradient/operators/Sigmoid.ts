import { mul, sub } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = σ(x);  ∂x = ∂y·y·(1 − y) */
export const Sigmoid: Rule = unary((_x, dy, y) => mul(dy, mul(y, sub(1, y))))
