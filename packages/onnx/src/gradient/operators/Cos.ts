import { apply, mul, neg } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = cos x;  ∂x = −∂y·sin x */
export const Cos: Rule = unary((x, dy) => neg(mul(dy, apply('Sin', [x]))))
