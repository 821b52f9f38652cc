import { concat } from '../../graph/operations.ts'
import type { Rule } from '../rule.ts'

/** y₁ … yₙ = parts of x, one after the other;  ∂x = ∂y₁ … ∂yₙ, one after the other */
export const Split: Rule = (operation, dy, ...more) => [
  concat([dy, ...more], operation.axis(operation.int('axis', 0), dy.shape.length)),
]
