import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import { type MomentHyperparameters, momentCoefficients, movingAverage } from './moments.ts'

/** The hyperparameters of ADOPT. β₁ is the decay rate of an average of normalized gradients. */
export interface AdoptHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, the least denominator: at least 1e-36. */
  readonly epsilon: number
}

const defaults: AdoptHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.9999,
  epsilon: 1e-6,
}

/**
 * ADOPT: Adam that converges for every β₂, because a gradient is divided by the v of the steps before it. m
 * averages the gradients thus normalized, clipped to a bound that grows with t. The first step sets v alone.
 *
 * ```
 * t = 1:  v ← g², and nothing moves, without decay
 * t > 1:  u = g / max(√v, ε), clipped to ±(t − 1)^¼           with v before this step
 *         m ← β₁m + (1 − β₁)u
 *         θ ← θ − αm
 *         v ← β₂v + (1 − β₂)g²
 * ```
 *
 * @see Taniguchi et al., "ADOPT: Modified Adam Can Converge with Any β₂ with the Optimal Rate", arXiv:2411.02853v3,
 * with the clipping of that version.
 */
export const adopt: UpdateRule<AdoptHyperparameters, 'm' | 'v', never> = defineRule({
  name: 'ADOPT',
  defaults,
  stateNames: () => ['m', 'v'],
  variant: (_, t) => ({ first: t === 1 }),
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon } = hyperparameters
    const bound = (t - 1) ** 0.25
    return {
      ...momentCoefficients(hyperparameters),
      learningRate,
      epsilon,
      bound,
      minusBound: -bound,
    }
  },
  update(arithmetic, { g, m: average, v: averageSquare }, c, { first }) {
    const { mul, div, min, max, square, sqrt } = arithmetic
    if (first) return { step: undefined, m: average, v: square(g) }
    const normalized = div(g, max(sqrt(averageSquare), c.epsilon))
    const clipped = max(c.minusBound, min(c.bound, normalized))
    const m = movingAverage(arithmetic, average, clipped, c.beta1, c.oneMinusBeta1)
    const v = movingAverage(arithmetic, averageSquare, square(g), c.beta2, c.oneMinusBeta2)
    return { step: mul(c.learningRate, m), m, v }
  },
})
