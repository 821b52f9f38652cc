import type { Value } from '../ir/graph.ts'
import { staticShape } from '../ir/value.ts'
import { applyOperator } from './apply.ts'
import {
  add,
  div,
  mul,
  nonChannelAxes,
  perChannel,
  reduceMean,
  reshape,
  sqrt,
  square,
  sub,
} from './builders.ts'

/** x̂ = (x − μ)·r over some axes, which keep length 1 in μ and r = 1/√(σ² + ε). */
export interface Normalized {
  readonly mean: Value
  /** r */
  readonly inverse: Value
  /** x̂ */
  readonly normalized: Value
}

/** Normalizes a value over some axes, by its own mean and variance. */
export function normalize(x: Value, axes: readonly number[], epsilon: number): Normalized {
  const mean = reduceMean(x, axes)
  const centered = sub(x, mean)
  const variance = reduceMean(square(centered), axes)
  const inverse = div(1, sqrt(add(variance, epsilon)))
  return { mean, inverse, normalized: mul(centered, inverse) }
}

/** The inputs of a batch normalization by batch statistics. */
export interface BatchNormalizationInputs {
  readonly x: Value
  readonly scale: Value
  readonly bias: Value
  readonly epsilon: number
}

/** The normalized batch, and the mean and variance of each channel. */
export interface NormalizedBatch {
  readonly y: Value
  readonly mean: Value
  readonly variance: Value
}

/**
 * y = γ·(x − μ)/√(σ² + ε) + β, with μ and σ² of the batch.
 *
 * ONNX Runtime overwrites the inputs with the running statistics, even if they are the caller's arrays.
 * So they are two temporary values, which momentum 0 ignores.
 */
export function normalizeBatch({
  x,
  scale,
  bias,
  epsilon,
}: BatchNormalizationInputs): NormalizedBatch {
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

/** The same in operators that every runtime has. */
export function normalizeBatchPlainly({
  x,
  scale,
  bias,
  epsilon,
}: BatchNormalizationInputs): NormalizedBatch {
  const outer = nonChannelAxes(x)
  const channels = staticShape(scale)
  const mean = reduceMean(x, outer)
  const centered = sub(x, mean)
  const variance = reshape(reduceMean(square(centered), outer), channels)
  const slope = div(scale, sqrt(add(variance, epsilon)))
  return {
    y: add(mul(centered, perChannel(slope, x)), perChannel(bias, x)),
    mean: reshape(mean, channels),
    variance,
  }
}
