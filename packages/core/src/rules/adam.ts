import { type CommonOptions, defineRule, type UpdateRule } from '../rule.ts'
import { biasCorrections, type MomentOptions, momentCoefficients, moments } from './moments.ts'

/** The hyperparameters of Adam and AdamW. */
export interface AdamOptions extends CommonOptions, MomentOptions {
  /** ε, added to the root of the bias-corrected average of squared gradients: above 0. */
  readonly epsilon: number
  /** Whether v is replaced by the largest v so far, before its bias correction. */
  readonly amsgrad: boolean
}

const defaults: AdamOptions = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  amsgrad: false,
}

/**
 * Adam: θ ← θ − α · (m/c₁) / (√(v/c₂) + ε), computed as α√c₂/c₁ · m / (√v + ε√c₂).
 *
 * @see Kingma and Ba, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980; Reddi et al.,
 * "On the Convergence of Adam and Beyond", arXiv:1904.09237, for AMSGrad.
 */
export const adam: UpdateRule<AdamOptions> = defineRule({
  name: 'Adam',
  defaults,
  slots: ({ amsgrad }) => (amsgrad ? ['m', 'v', 'vMax'] : ['m', 'v']),
  form: ({ amsgrad }) => ({ amsgrad }),
  coefficients(options, t) {
    const { c1, c2 } = biasCorrections(options, t)
    return {
      ...momentCoefficients(options),
      stepSize: (options.learningRate * Math.sqrt(c2)) / c1,
      epsilonHat: options.epsilon * Math.sqrt(c2),
    }
  },
  update(arithmetic, operands, c, { amsgrad }) {
    const { add, mul, div, max, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, operands, c)
    const vMax = amsgrad ? max(operands.vMax, v) : v
    return { step: div(mul(c.stepSize, m), add(sqrt(vMax), c.epsilonHat)), m, v, vMax }
  },
})

/**
 * AdamW: Adam whose weight decay, 0.01 by default, bypasses the averages.
 *
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
 */
export const adamW: UpdateRule<AdamOptions> = {
  ...adam,
  name: 'AdamW',
  defaults: { ...defaults, weightDecay: 0.01, decay: 'decoupled' },
}
