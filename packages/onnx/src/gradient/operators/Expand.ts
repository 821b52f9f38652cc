import { sumTo } from '../../graph/operations.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x repeated along some axes;  ∂x = Σ∂y along them */
export const Expand: Rule = unary((x, dy) => sumTo(dy, x.shape))
