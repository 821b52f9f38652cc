import { exp, mul, neg, square } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = erf x;  ∂x = ∂y · 2/√π · e^(−x²) */
export const Erf: Rule = unary((x, dy) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))))
