import { reshape } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x without some axes of length 1;  ∂x = ∂y in the shape of x */
export const Squeeze: Rule = unary((x, dy) => reshape(dy, sizes(x)))
