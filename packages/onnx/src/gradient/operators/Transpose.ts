import { transpose } from '../../graph/operations.ts'
import { permutation } from '../../shapes/layout.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x with its axes in another order;  ∂x = ∂y with its axes put back */
export const Transpose: Rule = unary((_x, dy, _y, operation) => {
  const order = permutation(operation)
  return transpose(
    dy,
    order.map((_, axis) => order.indexOf(axis)),
  )
})
