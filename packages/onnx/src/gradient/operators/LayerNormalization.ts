import { mul, sub, sumTo } from '../../graph/operations.ts'
import { normalizedGradient } from '../normalized.ts'
import type { Rule } from '../rule.ts'

/** y = γ·x̂ + β, x̂ normalized over the last axes;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y, ∂x from ∂x̂ = γ·∂y */
export const LayerNormalization: Rule = (operation, dy) => {
  const [x, scale, bias] = [operation.input(0), operation.input(1), operation.inputs[2]]
  const [mean, inverse] = [operation.output(1), operation.output(2)]
  const first = operation.axis(operation.int('axis', -1), x.shape.length)
  const axes = x.shape.map((_, axis) => axis).slice(first)
  const normalized = mul(sub(x, mean), inverse)
  return [
    normalizedGradient(normalized, inverse, mul(dy, scale), axes),
    sumTo(mul(dy, normalized), scale.shape),
    bias && sumTo(dy, bias.shape),
  ]
}
