import type { Arithmetic } from '../arithmetic.ts'
import { average, biasCorrections, type MomentOptions, momentCoefficients } from './moments.ts'

/** The hyperparameters of a step bounded by its own running average. */
export interface StepBoundOptions extends MomentOptions {
  /** α. */
  readonly learningRate: number
  /** ε, added to √v before any bias correction: above 0. */
  readonly epsilon: number
  /** Over how many steps the step sizes are averaged: at least 1, with β₃ = 1 − 1/memoryLength. */
  readonly memoryLength: number
}

/** What `boundedStep` and `moments` need at step t. */
export function stepBoundCoefficients(
  options: StepBoundOptions,
  t: number,
): ReturnType<typeof momentCoefficients> &
  Readonly<Record<'epsilon' | 'stepSize' | 'beta3' | 'oneMinusBeta3', number>> {
  const { learningRate, epsilon, memoryLength } = options
  const { c1, c2 } = biasCorrections(options, t)
  return {
    ...momentCoefficients(options),
    epsilon,
    stepSize: (learningRate * Math.sqrt(c2)) / c1,
    beta3: 1 - 1 / memoryLength,
    oneMinusBeta3: 1 / memoryLength,
  }
}

/**
 * η = α√c₂/c₁ / (√v + ε), its running average s ← β₃s + (1 − β₃)η, which is not bias-corrected, and
 * the bounded step min(η, s), or (η + s)/2.
 *
 * @see Ding et al., "An Adaptive and Momental Bound Method for Stochastic Learning",
 * arXiv:1910.12249.
 */
export function boundedStep<T>(
  arithmetic: Arithmetic<T>,
  { v, s: past }: { readonly [K in 'v' | 's']: T },
  c: { readonly [K in 'epsilon' | 'stepSize' | 'beta3' | 'oneMinusBeta3']: T },
  averageStep: boolean,
): { readonly eta: T; readonly s: T } {
  const { constant, add, mul, div, min, sqrt } = arithmetic
  const eta = div(c.stepSize, add(sqrt(v), c.epsilon))
  const s = average(arithmetic, past, eta, c.beta3, c.oneMinusBeta3)
  return { eta: averageStep ? mul(add(eta, s), constant(0.5)) : min(eta, s), s }
}
