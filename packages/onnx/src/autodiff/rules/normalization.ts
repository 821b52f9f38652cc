import type { Operation, Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import {
  add,
  div,
  exp,
  mul,
  neg,
  nonChannelAxes,
  perChannel,
  reduceMean,
  reduceSum,
  reshape,
  sqrt,
  square,
  sub,
  sumTo,
} from '../../ops/builders.ts'
import { normalize } from '../../ops/normalization.ts'
import { type GradientRule, unary } from './gradient-rule.ts'

/**
 * y = γ·x̂ + β with x̂ = (x − μ)·r and r = 1/√(σ² + ε), per channel;  ∂γ = Σ∂y·x̂,
 * ∂β = Σ∂y, and for K elements a channel:
 * ∂x = γr·∂y, ∂μ = −γr·∂β and ∂σ² = −½γr²·∂γ by running statistics, or
 * ∂x = γr·(∂y − ∂β/K − x̂·∂γ/K) by those of x, in training mode
 */
export const BatchNormalization: GradientRule = (operation, dy) => {
  const [x, gamma] = [operation.input(0), operation.input(1)]
  const outer = nonChannelAxes(x)
  const training = operation.int('training_mode', 0) !== 0
  const [mean, variance] = training
    ? batchStatistics(operation, outer)
    : runningStatistics(operation)
  const r = div(1, sqrt(add(variance, operation.float('epsilon', 1e-5))))
  const centered = sub(x, perChannel(mean, x))
  const dBeta = reduceSum(dy, outer, 'drop')
  const dGamma = mul(r, reduceSum(mul(dy, centered), outer, 'drop'))
  const slope = mul(gamma, r)
  if (!training) {
    const [dMean, dVariance] = [mul(slope, dBeta), mul(mul(mul(slope, r), dGamma), -0.5)]
    return [mul(dy, perChannel(slope, x)), dGamma, dBeta, neg(dMean), dVariance]
  }
  const perElement = elementCount(staticShape(gamma)) / elementCount(staticShape(x))
  const ofMean = perChannel(mul(dBeta, perElement), x)
  const ofVariance = perChannel(mul(mul(r, perElement), dGamma), x)
  const indirect = add(mul(centered, ofVariance), ofMean)
  return [mul(perChannel(slope, x), sub(dy, indirect)), dGamma, dBeta]
}

const runningStatistics = (operation: Operation): readonly [mean: Value, variance: Value] => [
  operation.input(3),
  operation.input(4),
]

/** With momentum 0, the operator's running statistics are those of the batch. */
function batchStatistics(
  operation: Operation,
  outer: readonly number[],
): readonly [mean: Value, variance: Value] {
  if (operation.float('momentum', 0.9) === 0) return [operation.output(1), operation.output(2)]
  const x = operation.input(0)
  const mean = reduceMean(x, outer)
  const variance = reduceMean(square(sub(x, mean)), outer)
  const channels = staticShape(operation.input(1))
  return [reshape(mean, channels), reshape(variance, channels)]
}

/** y = γ·x̂ + β, x̂ normalized over each group of channels and its pixels;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const GroupNormalization: GradientRule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const shape = staticShape(x)
  const [batch = 1, channels = 1, ...space] = shape
  const groups = operation.int('num_groups', 0)
  const grouped = (value: Value): Value =>
    reshape(value, [batch, groups, (channels / groups) * elementCount(space)])
  const { inverse, normalized } = normalize(grouped(x), [2], operation.float('epsilon', 1e-5))
  const dx = normalizedGradient(normalized, inverse, grouped(mul(dy, perChannel(scale, x))), [2])
  return [
    reshape(dx, shape),
    reduceSum(mul(dy, reshape(normalized, shape)), nonChannelAxes(x), 'drop'),
    reduceSum(dy, nonChannelAxes(x), 'drop'),
  ]
}

/** y = 1 at the first maximum of an axis, 0 elsewhere;  ∂x = 0 */
export const Hardmax: GradientRule = () => []

/** y = γ·x̂ + β, x̂ normalized over the pixels of each image and channel;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y */
export const InstanceNormalization: GradientRule = (operation, dy) => {
  const [x, scale] = [operation.input(0), operation.input(1)]
  const space = x.shape.map((_, axis) => axis).slice(2)
  const { inverse, normalized } = normalize(x, space, operation.float('epsilon', 1e-5))
  return [
    normalizedGradient(normalized, inverse, mul(dy, perChannel(scale, x)), space),
    reduceSum(mul(dy, normalized), nonChannelAxes(x), 'drop'),
    reduceSum(dy, nonChannelAxes(x), 'drop'),
  ]
}

/** y = γ·x̂ + β, x̂ normalized over the last axes;  ∂γ = Σ∂y·x̂, ∂β = Σ∂y, ∂x from ∂x̂ = γ·∂y */
export const LayerNormalization: GradientRule = (operation, dy) => {
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
export const LogSoftmax: GradientRule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return sub(dy, mul(exp(y), reduceSum(dy, [axis])))
})

/** y = eˣ / Σeˣ;  ∂x = y·(∂y − Σ ∂y·y) */
export const Softmax: GradientRule = unary((_x, dy, y, operation) => {
  const axis = operation.axis(operation.int('axis', -1), y.shape.length)
  return mul(y, sub(dy, reduceSum(mul(dy, y), [axis])))
})

/** x̂ = (x − μ)·r with μ and 1/r the mean and standard deviation over some axes;  ∂x = r·(∂x̂ − E[∂x̂] − x̂·E[∂x̂·x̂]) */
function normalizedGradient(
  normalized: Value,
  inverse: Value,
  gradient: Value,
  axes: readonly number[],
): Value {
  const along = mul(normalized, reduceMean(mul(gradient, normalized), axes))
  return mul(inverse, sub(sub(gradient, reduceMean(gradient, axes)), along))
}
