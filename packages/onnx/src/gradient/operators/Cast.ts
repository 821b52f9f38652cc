import { cast } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x in another precision;  ∂x = ∂y in that of x */
export const Cast: Rule = unary((x, dy) => (x.type === dy.type ? dy : cast(dy, x.type)))
