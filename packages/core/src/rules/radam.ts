import { type CommonOptions, defineRule, type UpdateRule } from '../rule.ts'
import { type MomentOptions, momentCoefficients, moments } from './moments.ts'
import { phase, type RectificationOptions, rectifiedStepSize } from './rectification.ts'

/** The hyperparameters of RAdam. */
export interface RAdamOptions extends CommonOptions, MomentOptions, RectificationOptions {
  /** ε, added to √v before any bias correction: above 0. */
  readonly epsilon: number
}

const defaults: RAdamOptions = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  degenerateToSgd: true, // The authors' code has had both; PyTorch has this one.
}

/**
 * RAdam, Adam with a rectified variance: θ ← θ − α·r/c₁ · m / (√v + ε), and before that is possible,
 * θ ← θ − α/c₁ · m, or nothing.
 *
 * @see Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265.
 */
export const radam: UpdateRule<RAdamOptions> = defineRule({
  name: 'RAdam',
  defaults,
  slots: () => ['m', 'v'],
  form: (settings, t) => ({ phase: phase(settings, t) }),
  coefficients: (options, t) => ({
    ...momentCoefficients(options),
    epsilon: options.epsilon,
    stepSize: rectifiedStepSize(options, t),
  }),
  update(arithmetic, operands, c, form) {
    const { add, mul, div, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, operands, c)
    switch (form.phase) {
      case 'rectified':
        return { step: div(mul(c.stepSize, m), add(sqrt(v), c.epsilon)), m, v }
      case 'momentum':
        return { step: mul(c.stepSize, m), m, v }
      case 'still':
        return { step: undefined, m, v }
    }
  },
})
