import { extremumOfInputs } from '../extremum.ts'
import type { Rule } from '../rule.ts'

/** y = min(x₁ … xₙ);  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
export const Min: Rule = extremumOfInputs
