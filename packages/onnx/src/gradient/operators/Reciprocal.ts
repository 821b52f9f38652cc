import { mul, neg, square } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = 1/x;  ∂x = −∂y·y² */
export const Reciprocal: Rule = unary((_x, dy, y) => neg(mul(dy, square(y))))
