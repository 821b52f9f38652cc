import { div } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = ln x;  ∂x = ∂y / x */
export const Log: Rule = unary((x, dy) => div(dy, x))
