import { mul, sigmoid } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = ln(1 + eˣ);  ∂x = ∂y·σ(x) */
export const Softplus: Rule = unary((x, dy) => mul(dy, sigmoid(x)))
