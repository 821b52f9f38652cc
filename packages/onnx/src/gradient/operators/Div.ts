import { div, mul, neg } from '../../graph/operations.ts'
import { binary, type Rule } from '../rule.ts'

/** y = a / b;  ∂a = ∂y / b, ∂b = −∂y·y / b */
export const Div: Rule = binary((_a, b, dy, y) => [div(dy, b), neg(div(mul(dy, y), b))])
