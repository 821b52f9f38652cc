import { allButChannels, perChannel } from '../../graph/channels.ts'
import type { Operation } from '../../graph/operation.ts'
import {
  add,
  div,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
} from '../../graph/operations.ts'
import { sizes, type Value } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import type { Rule } from '../rule.ts'

/**
 * y = γ·x̂ + β with x̂ = (x − μ)·r and r = 1/√(σ² + ε), each channel for itself;  ∂γ = Σ∂y·x̂,
 * ∂β = Σ∂y, and for K elements a channel:
 * ∂x = γr·∂y where μ and σ² are given, γr·(∂y − ∂β/K − x̂·∂γ/K) where they are those of x
 */
export const BatchNormalization: Rule = (operation, dy) => {
  const [x, gamma] = [operation.input(0), operation.input(1)]
  const outer = allButChannels(x)
  const training = operation.int('training_mode', 0) !== 0
  const [mean, variance] = training ? batchStatistics(operation, outer) : givenStatistics(operation)
  const r = div(1, sqrt(add(variance, operation.float('epsilon', 1e-5))))
  const centered = sub(x, perChannel(mean, x))
  const dBeta = reduceSum(dy, outer, 'drop')
  const dGamma = mul(r, reduceSum(mul(dy, centered), outer, 'drop'))
  const slope = mul(gamma, r)
  const direct = mul(dy, perChannel(slope, x))
  if (!training) return [direct, dGamma, dBeta]
  const perElement = count(sizes(gamma)) / count(sizes(x))
  const ofMean = mul(mul(slope, dBeta), -perElement)
  const ofVariance = neg(mul(mul(mul(slope, r), dGamma), perElement))
  const indirect = add(mul(centered, perChannel(ofVariance, x)), perChannel(ofMean, x))
  return [add(direct, indirect), dGamma, dBeta]
}

const givenStatistics = (operation: Operation): readonly [mean: Value, variance: Value] => [
  operation.input(3),
  operation.input(4),
]

/** With momentum 0, what the operator gives for the running statistics are the batch's own. */
function batchStatistics(
  operation: Operation,
  outer: readonly number[],
): readonly [mean: Value, variance: Value] {
  if (operation.float('momentum', 0.9) === 0) return [operation.output(1), operation.output(2)]
  const x = operation.input(0)
  const mean = reduceMean(x, outer)
  const variance = reduceMean(square(sub(x, mean)), outer)
  const channels = sizes(operation.input(1))
  return [reshape(mean, channels), reshape(variance, channels)]
}
