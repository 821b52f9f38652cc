import type { Operation } from '../../ir/operation.ts'
import { sizes, type Value } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { allButChannels, perChannel } from '../../ops/channels.ts'
import {
  add,
  div,
  exp,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  sumTo,
} from '../../ops/operations.ts'
import { normalizedGradient, statistics } from '../normalized.ts'
import { type Rule, unary } from '../rule.ts'

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
  const perElement = elementCount(sizes(gamma)) / elementCount(sizes(x))
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

/** y = γ·x̂ + β, x̂ normalized over each group of channels and its space;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const GroupNormalization: Rule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const shape = sizes(x)
  const [batch = 1, channels = 1, ...space] = shape
  const groups = operation.int('num_groups', 1)
  const grouped = (value: Value): Value =>
    reshape(value, [batch, groups, (channels / groups) * elementCount(space)])
  const [mean, inverse] = statistics(grouped(x), [2], operation.float('epsilon', 1e-5))
  const normalized = mul(sub(grouped(x), mean), inverse)
  const dx = normalizedGradient(normalized, inverse, grouped(mul(dy, perChannel(scale, x))), [2])
  return [
    reshape(dx, shape),
    reduceSum(mul(dy, reshape(normalized, shape)), allButChannels(x), 'drop'),
    reduceSum(dy, allButChannels(x), 'drop'),
  ]
}

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

/** y = x − ln Σeˣ;  ∂x = ∂y − eʸ·Σ∂y */
export const LogSoftmax: Rule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return sub(dy, mul(exp(y), reduceSum(dy, [axis])))
})

/** y = eˣ / Σeˣ;  ∂x = y·(∂y − Σ ∂y·y) */
export const Softmax: Rule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return mul(y, sub(dy, reduceSum(mul(dy, y), [axis])))
})
