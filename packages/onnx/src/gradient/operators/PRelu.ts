import { less, mul, where } from '../../graph/operations.ts'
import { binary, type Rule } from '../rule.ts'

/** y = x where x ≥ 0, a·x elsewhere;  ∂x = ∂y or a·∂y, ∂a = 0 or x·∂y */
export const PRelu: Rule = binary((x, a, dy) => {
  const negative = less(x, 0)
  return [where(negative, mul(dy, a), dy), mul(dy, where(negative, x, 0))]
})
