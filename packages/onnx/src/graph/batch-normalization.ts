import type { Operation } from './operation.ts'
import { mul } from './operations.ts'
import type { Value } from './value.ts'

/** The inputs of a normalization by the batch's own statistics. */
export interface BatchNormalized {
  readonly x: Value
  readonly scale: Value
  readonly bias: Value
  readonly epsilon: number
}

/**
 * Normalizes by the batch's own mean and variance, which are the second and third output. The
 * runtime writes those over the inputs that hold the running ones, even if these are the caller's
 * arrays: so it is given two values of its own, which momentum 0 then leaves out.
 */
export function normalizeBatch(
  { x, scale, bias, epsilon }: BatchNormalized,
  names: readonly [y: string, mean: string, variance: string],
): Operation {
  const inputs = [x, scale, bias, mul(scale, 0), mul(bias, 0)]
  return x.graph.apply('BatchNormalization', inputs, {
    attributes: new Map<string, number | { float: number }>([
      ['training_mode', 1],
      ['momentum', { float: 0 }],
      ['epsilon', { float: epsilon }],
    ]),
    outputs: names,
  })
}
