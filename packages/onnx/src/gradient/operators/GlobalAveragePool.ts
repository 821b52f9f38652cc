import { expand, mul } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import { type Rule, unary } from '../rule.ts'

/** y = the mean of x over space;  ∂x = ∂y / number of pixels, everywhere */
export const GlobalAveragePool: Rule = unary((x, dy) => {
  const shape = sizes(x)
  return expand(mul(dy, 1 / count(shape.slice(2))), shape)
})
