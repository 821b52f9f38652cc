import { sumTo, where } from '../../graph/operations.ts'
import type { Rule } from '../rule.ts'

/** y = a where c holds, b elsewhere;  ∂a = ∂y where c holds, ∂b = ∂y elsewhere */
export const Where: Rule = (operation, dy) => {
  const [c, a, b] = [operation.input(0), operation.input(1), operation.input(2)]
  return [
    undefined,
    sumTo(where(c, dy, 0), a.shape),
    sumTo(where(c, dy.graph.scalar(0), dy), b.shape),
  ]
}
