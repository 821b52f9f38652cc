import type { Arithmetic } from '../arithmetic.ts'
import { anyFinite } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
  movingAverage,
} from './moments.ts'

/** The hyperparameters of AdaMod. */
export interface AdaModHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
  /** The number of steps over which step sizes are averaged: at least 1; β₃ = 1 − 1/memoryLength. */
  readonly memoryLength: number
}

const defaults: AdaModHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  memoryLength: 1000,
}

/**
 * AdaMod: Adam with step sizes bounded by their own moving average s.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * η = α√c₂/c₁ / (√v + ε)                       c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * s ← β₃s + (1 − β₃)η                          β₃ = 1 − 1/memoryLength
 * θ ← θ − min(η, s) · m
 * ```
 *
 * @see Ding et al., "An Adaptive and Momental Bound Method for Stochastic Learning",
 * arXiv:1910.12249.
 */
export const adaMod: UpdateRule<AdaModHyperparameters, 'm' | 'v' | 's', never> = defineRule({
  name: 'AdaMod',
  defaults,
  ranges: {
    memoryLength: {
      text: 'a finite number, at least 1',
      includes: (value) => anyFinite.includes(value) && Number(value) >= 1,
      description: 'steps in the average of step sizes',
    },
  },
  stateNames: () => ['m', 'v', 's'],
  coefficients: stepBoundCoefficients,
  update(arithmetic, inputs, c) {
    const { m, v } = moments(arithmetic, inputs, c)
    const { eta, s } = boundedStep(arithmetic, { v, s: inputs.s }, c, false)
    return { step: arithmetic.mul(eta, m), m, v, s }
  },
})

/** The coefficients of `moments` and `boundedStep` at step t. */
export function stepBoundCoefficients(
  hyperparameters: AdaModHyperparameters,
  t: number,
): ReturnType<typeof momentCoefficients> &
  Readonly<Record<'epsilon' | 'stepSize' | 'beta3' | 'oneMinusBeta3', number>> {
  const { learningRate, epsilon, memoryLength } = hyperparameters
  const { c1, c2 } = biasCorrections(hyperparameters, t)
  return {
    ...momentCoefficients(hyperparameters),
    epsilon,
    stepSize: (learningRate * Math.sqrt(c2)) / c1,
    beta3: 1 - 1 / memoryLength,
    oneMinusBeta3: 1 / memoryLength,
  }
}

/**
 * The step size η of each element, bounded by s: min(η, s), or (η + s)/2 with `averageStep`; and the
 * next s, which is not bias-corrected.
 */
export function boundedStep<T>(
  arithmetic: Arithmetic<T>,
  { v, s: previous }: { readonly [K in 'v' | 's']: T },
  c: { readonly [K in 'epsilon' | 'stepSize' | 'beta3' | 'oneMinusBeta3']: T },
  averageStep: boolean,
): { readonly eta: T; readonly s: T } {
  const { constant, add, mul, div, min, sqrt } = arithmetic
  const eta = div(c.stepSize, add(sqrt(v), c.epsilon))
  const s = movingAverage(arithmetic, previous, eta, c.beta3, c.oneMinusBeta3)
  return { eta: averageStep ? mul(add(eta, s), constant(0.5)) : min(eta, s), s }
}
