import { div, mul, reduceSum } from '../../graph/operations.ts'
import { chosen } from '../extremum.ts'
import { type Rule, unary } from '../rule.ts'

/** y = the largest x over space;  ∂x = ∂y where x = y, in equal shares among equals */
export const GlobalMaxPool: Rule = unary((x, dy, y) => {
  const mask = chosen(x, y)
  const space = x.shape.map((_, axis) => axis).slice(2)
  return mul(mask, div(dy, reduceSum(mask, space)))
})
