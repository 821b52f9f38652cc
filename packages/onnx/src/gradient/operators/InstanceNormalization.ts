import { allButChannels, perChannel } from '../../graph/channels.ts'
import { mul, reduceSum, sub } from '../../graph/operations.ts'
import { normalizedGradient, statistics } from '../normalized.ts'
import type { Rule } from '../rule.ts'

/** y = γ·x̂ + β, x̂ normalized over the space of each image and channel;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const InstanceNormalization: Rule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const space = x.shape.map((_, axis) => axis).slice(2)
  const [mean, inverse] = statistics(x, space, operation.float('epsilon', 1e-5))
  const normalized = mul(sub(x, mean), inverse)
  return [
    normalizedGradient(normalized, inverse, mul(dy, perChannel(scale, x)), space),
    reduceSum(mul(dy, normalized), allButChannels(x), 'drop'),
    reduceSum(dy, allButChannels(x), 'drop'),
  ]
}
