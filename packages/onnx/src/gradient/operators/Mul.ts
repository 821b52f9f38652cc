import { mul } from '../../graph/operations.ts'
import { binary, type Rule } from '../rule.ts'

/** y = a·b;  ∂a = ∂y·b, ∂b = ∂y·a */
export const Mul: Rule = binary((a, b, dy) => [mul(dy, b), mul(dy, a)])
