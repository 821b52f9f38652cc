import { slice } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import type { Rule } from '../rule.ts'

/** y = x₁ … xₙ one after the other;  ∂xᵢ = the part of ∂y where xᵢ lies */
export const Concat: Rule = (operation, dy) => {
  const axis = operation.axis(operation.int('axis', 0), dy.shape.length)
  let end = 0
  return operation.inputs.map((_, i) => {
    const start = end
    end += sizes(operation.input(i))[axis] ?? 0
    return slice(dy, [{ axis, start, end }])
  })
}
