import { reshape } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { type Rule, unary } from '../rule.ts'

/** y = the elements of x as a matrix;  ∂x = ∂y in the shape of x */
export const Flatten: Rule = unary((x, dy) => reshape(dy, sizes(x)))
