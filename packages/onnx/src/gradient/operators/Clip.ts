import { and, apply, lessOrEqual, where } from '../../graph/operations.ts'
import type { Rule } from '../rule.ts'

/** y = min(max(x, low), high);  ∂x = ∂y where low ≤ x ≤ high, and 0 elsewhere */
export const Clip: Rule = (operation, dy) => {
  const [x, low, high] = [operation.input(0), operation.inputs[1], operation.inputs[2]]
  const above = low && apply('GreaterOrEqual', [x, low])
  const below = high && lessOrEqual(x, high)
  const inside = above && below ? and(above, below) : (above ?? below)
  return [inside ? where(inside, dy, 0) : dy]
}
