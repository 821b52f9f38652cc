import { sizes, type Value } from '../ir/value.ts'
import { applyOperator } from './apply.ts'
import { allButChannels, perChannel } from './channels.ts'
import { add, div, mul, reduceMean, reshape, sqrt, square, sub } from './operations.ts'

/** What is normalized by the batch's own statistics, one scale and bias for each channel. */
export interface BatchNormalized {
  readonly x: Value
  readonly scale: Value
  readonly bias: Value
  readonly epsilon: number
}

/** The normalized batch, and the mean and variance of each of its channels. */
export interface Normalized {
  readonly y: Value
  readonly mean: Value
  readonly variance: Value
}

/** y = γ·(x − μ)/√(σ² + ε) + β, with μ and σ² those of the batch, as its graph's lowering says. */
export const normalizeBatch = (batch: BatchNormalized): Normalized =>
  batch.x.graph.lowering.operators === 'plain' ? plain(batch) : standard(batch)

/**
 * The runtime writes what it finds over the inputs that hold the running statistics, even if these
 * are the caller's arrays: so it is given two values of its own, which momentum 0 then leaves out.
 */
function standard({ x, scale, bias, epsilon }: BatchNormalized): Normalized {
  const { graph } = x
  const inputs = [x, scale, bias, mul(scale, 0), mul(bias, 0)]
  const y = graph.freshName('BatchNormalization')
  const operation = applyOperator(graph, 'BatchNormalization', inputs, {
    attributes: new Map<string, number | { float: number }>([
      ['training_mode', 1],
      ['momentum', { float: 0 }],
      ['epsilon', { float: epsilon }],
    ]),
    outputs: [y, `${y}/mean`, `${y}/variance`],
  })
  return { y: operation.output(), mean: operation.output(1), variance: operation.output(2) }
}

/** For runtimes that cannot train with the operator. */
function plain({ x, scale, bias, epsilon }: BatchNormalized): Normalized {
  const outer = allButChannels(x)
  const channels = sizes(scale)
  const mean = reduceMean(x, outer)
  const centered = sub(x, mean)
  const variance = reduceMean(square(centered), outer)
  const normalized = div(centered, sqrt(add(variance, epsilon)))
  return {
    y: add(mul(normalized, perChannel(scale, x)), perChannel(bias, x)),
    mean: reshape(mean, channels),
    variance: reshape(variance, channels),
  }
}
