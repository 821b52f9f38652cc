import { mul, reduceSum, reshape, sub } from '../../graph/operations.ts'
import { sizes } from '../../graph/value.ts'
import { normalizedGradient, statistics } from '../normalized.ts'
import type { Rule } from '../rule.ts'

/** y = γ·x̂ + β, x̂ normalized over the space of each image and channel;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const InstanceNormalization: Rule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const space = x.shape.map((_, axis) => axis).slice(2)
  const [mean, inverse] = statistics(x, space, operation.float('epsilon', 1e-5))
  const normalized = mul(sub(x, mean), inverse)
  const perChannel = reshape(scale, [...sizes(scale), ...space.map(() => 1)])
  return [
    normalizedGradient(normalized, inverse, mul(dy, perChannel), space),
    reduceSum(mul(dy, normalized), [0, ...space], 'drop'),
    reduceSum(dy, [0, ...space], 'drop'),
  ]
}
