import { boolean } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The hyperparameters of Adam and AdamW. */
export interface AdamHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to the square root of the bias-corrected v: at least 1e-36. */
  readonly epsilon: number
  /** Whether to use the largest v so far, taken before the bias correction. */
  readonly amsgrad: boolean
}

const defaults: AdamHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  amsgrad: false,
}

/**
 * Adam.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * θ ← θ − α · (m/c₁) / (√(v/c₂) + ε)           c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 *   = θ − α√c₂/c₁ · m / (√v + ε√c₂)            as it is computed
 * ```
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980; Reddi et al.,
 * "On the Convergence of Adam and Beyond", arXiv:1904.09237, for AMSGrad.
 */
export const adam: UpdateRule<AdamHyperparameters, 'm' | 'v' | 'vMax', never> = defineRule({
  name: 'Adam',
  defaults,
  ranges: { amsgrad: { ...boolean, description: 'AMSGrad' } },
  stateNames: ({ amsgrad }) => (amsgrad ? ['m', 'v', 'vMax'] : ['m', 'v']),
  variant: ({ amsgrad }) => ({ amsgrad }),
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    return {
      ...momentCoefficients(hyperparameters),
      stepSize: (learningRate * Math.sqrt(c2)) / c1,
      epsilonHat: epsilon * Math.sqrt(c2),
    }
  },
  update(arithmetic, inputs, c, { amsgrad }) {
    const { add, mul, div, max, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, inputs, c)
    const vMax = amsgrad ? max(inputs.vMax, v) : v
    return { step: div(mul(c.stepSize, m), add(sqrt(vMax), c.epsilonHat)), m, v, vMax }
  },
})

/**
 * AdamW: Adam with decoupled weight decay, 0.01 by default.
 *
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
 */
export const adamW: typeof adam = defineRule({
  ...adam,
  name: 'AdamW',
  defaults: { ...defaults, weightDecay: 0.01, decay: 'decoupled' },
})
