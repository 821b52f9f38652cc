import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  movingAverage,
} from './moments.ts'

/** The hyperparameters of AdaBelief. */
export interface AdaBeliefHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to s at every step and to the square root of the bias-corrected s: at least 1e-36. */
  readonly epsilon: number
}

const defaults: AdaBeliefHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-16,
}

/**
 * AdaBelief: Adam whose steps are large where a gradient is close to m, the gradient that was expected. s takes
 * the place of v.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * s ← β₂s + (1 − β₂)(g − m)² + ε               with the new m
 * θ ← θ − α · (m/c₁) / (√(s/c₂) + ε)           c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 *   = θ − α√c₂/c₁ · m / (√s + ε√c₂)            as it is computed
 * ```
 *
 * @see Zhuang et al., "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
 * arXiv:2010.07468, algorithm 2.
 */
export const adaBelief: UpdateRule<AdaBeliefHyperparameters, 'm' | 's', never> = defineRule({
  name: 'AdaBelief',
  defaults,
  stateNames: () => ['m', 's'],
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    return {
      ...momentCoefficients(hyperparameters),
      epsilon,
      stepSize: (learningRate * Math.sqrt(c2)) / c1,
      epsilonHat: epsilon * Math.sqrt(c2),
    }
  },
  update(arithmetic, { g, m: averageG, s: variance }, c) {
    const { add, sub, mul, div, square, sqrt } = arithmetic
    const m = movingAverage(arithmetic, averageG, g, c.beta1, c.oneMinusBeta1)
    const surprise = square(sub(g, m))
    const average = movingAverage(arithmetic, variance, surprise, c.beta2, c.oneMinusBeta2)
    const s = add(average, c.epsilon)
    return { step: div(mul(c.stepSize, m), add(sqrt(s), c.epsilonHat)), m, s }
  },
})
