import { allButChannels, perChannel } from '../../graph/channels.ts'
import { mul, reduceSum, reshape, sub } from '../../graph/operations.ts'
import { sizes, type Value } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import { normalizedGradient, statistics } from '../normalized.ts'
import type { Rule } from '../rule.ts'

/** y = γ·x̂ + β, x̂ normalized over each group of channels and its space;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const GroupNormalization: Rule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const shape = sizes(x)
  const [batch = 1, channels = 1, ...space] = shape
  const groups = operation.int('num_groups', 1)
  const grouped = (value: Value): Value =>
    reshape(value, [batch, groups, (channels / groups) * count(space)])
  const [mean, inverse] = statistics(grouped(x), [2], operation.float('epsilon', 1e-5))
  const normalized = mul(sub(grouped(x), mean), inverse)
  const dx = normalizedGradient(normalized, inverse, grouped(mul(dy, perChannel(scale, x))), [2])
  return [
    reshape(dx, shape),
    reduceSum(mul(dy, reshape(normalized, shape)), allButChannels(x), 'drop'),
    reduceSum(dy, allButChannels(x), 'drop'),
  ]
}
