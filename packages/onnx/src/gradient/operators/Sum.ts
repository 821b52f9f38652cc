import { sumTo } from '../../graph/operations.ts'
import type { Rule } from '../rule.ts'

/** y = x₁ + … + xₙ;  ∂xᵢ = ∂y */
export const Sum: Rule = (operation, dy) =>
  operation.inputs.map((_, i) => sumTo(dy, operation.input(i).shape))
