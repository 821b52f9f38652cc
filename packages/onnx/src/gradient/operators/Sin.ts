import { apply, mul } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = sin x;  ∂x = ∂y·cos x */
export const Sin: Rule = unary((x, dy) => mul(dy, apply('Cos', [x])))
