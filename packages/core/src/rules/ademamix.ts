import { count, fraction, nonNegative } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
  movingAverage,
} from './moments.ts'

/** The hyperparameters of AdEMAMix. */
export interface AdEMAMixHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** β₃, the decay rate of the slow average of gradients: in [0, 1). */
  readonly beta3: number
  /** κ, the weight of the slow average in a step, α in the paper: at least 0. */
  readonly mix: number
  /**
   * T, the steps over which κ and β₃ rise to their values, best those of the whole training: a whole number, at
   * least 0, where they have their values from the start.
   */
  readonly mixWarmup: number
  /** ε, added to the square root of the bias-corrected v: at least 1e-36. */
  readonly epsilon: number
}

const defaults: AdEMAMixHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  beta3: 0.9999,
  mix: 5,
  mixWarmup: 0,
  epsilon: 1e-8,
}

/**
 * β₃ and κ at step t. The half-life of an average is ln ½/ln β: in a warm-up that of the slow average rises in a
 * straight line from that of m to its own. A β₁ of 0 has a half-life of 0.
 */
function slowAverageAt(
  { beta1, beta3, mix, mixWarmup }: AdEMAMixHyperparameters,
  t: number,
): { readonly beta3: number; readonly mix: number } {
  const share = t / mixWarmup
  if (!(share < 1)) return { beta3, mix }
  const rising = Math.exp(1 / ((1 - share) / Math.log(beta1) + share / Math.log(beta3)))
  return { beta3: Math.min(rising, beta3), mix: share * mix }
}

/**
 * AdEMAMix: Adam with a second, slow average m₂ of gradients, whose half-life is thousands of steps. It is not
 * bias-corrected: it fills while κ rises. s is the share of the warm-up that is over.
 *
 * ```
 * s = min(t/T, 1)          κₜ = sκ          1/ln β₃ₜ = (1 − s)/ln β₁ + s/ln β₃, at most β₃
 * m ← β₁m + (1 − β₁)g
 * m₂ ← β₃ₜm₂ + (1 − β₃ₜ)g
 * v ← β₂v + (1 − β₂)g²
 * θ ← θ − α · (m/c₁ + κₜm₂) / (√(v/c₂) + ε)              c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 *   = θ − α√c₂ · (m/c₁ + κₜm₂) / (√v + ε√c₂)             as it is computed
 * ```
 *
 * @see Pagliardini, Ablin and Grangier, "The AdEMAMix Optimizer: Better, Faster, Older", arXiv:2409.03137,
 * algorithm 1.
 */
export const adEMAMix: UpdateRule<AdEMAMixHyperparameters, 'm' | 'm2' | 'v', never> = defineRule({
  name: 'AdEMAMix',
  defaults,
  ranges: {
    beta3: { ...fraction, symbol: 'β₃', description: 'decay rate of the slow average gradient' },
    mix: { ...nonNegative, symbol: 'κ', description: 'weight of the slow average' },
    mixWarmup: { ...count, symbol: 'T', description: 'steps of the rise of κ and β₃' },
  },
  stateNames: () => ['m', 'm2', 'v'],
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    const { beta3, mix } = slowAverageAt(hyperparameters, t)
    const stepSize = learningRate * Math.sqrt(c2)
    return {
      ...momentCoefficients(hyperparameters),
      beta3,
      oneMinusBeta3: 1 - beta3,
      momentumStep: stepSize / c1,
      slowStep: stepSize * mix,
      epsilonHat: epsilon * Math.sqrt(c2),
    }
  },
  update(arithmetic, inputs, c) {
    const { add, mul, div, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, inputs, c)
    const m2 = movingAverage(arithmetic, inputs.m2, inputs.g, c.beta3, c.oneMinusBeta3)
    const direction = add(mul(c.momentumStep, m), mul(c.slowStep, m2))
    return { step: div(direction, add(sqrt(v), c.epsilonHat)), m, m2, v }
  },
})
