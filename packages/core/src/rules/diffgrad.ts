import { type CommonOptions, defineRule, type UpdateRule } from '../rule.ts'
import { type FrictionOptions, friction, frictionForm } from './friction.ts'
import { biasCorrections, type MomentOptions, momentCoefficients, moments } from './moments.ts'

/** The hyperparameters of diffGrad. */
export interface DiffGradOptions extends CommonOptions, MomentOptions, FrictionOptions {
  /** ε, added to √v before any bias correction: above 0. */
  readonly epsilon: number
}

const defaults: DiffGradOptions = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  version: 0,
  aliased: false,
}

/**
 * diffGrad, Adam with friction: θ ← θ − α·√c₂/c₁ · ξm / (√v + ε), where ξ is near ½ while a
 * parameter's gradient stands still and grows with its change.
 *
 * @see Dubey et al., "diffGrad: An Optimization Method for Convolutional Neural Networks",
 * arXiv:1909.11015.
 */
export const diffGrad: UpdateRule<DiffGradOptions> = defineRule({
  name: 'diffGrad',
  defaults,
  slots: () => ['m', 'v', 'previousGradient'],
  inner: ['xi'],
  form: (settings, t) => ({ friction: frictionForm(settings, t) }),
  coefficients(options, t) {
    const { learningRate, epsilon } = options
    const { c1, c2 } = biasCorrections(options, t)
    return {
      ...momentCoefficients(options),
      epsilon,
      stepSize: (learningRate * Math.sqrt(c2)) / c1,
    }
  },
  update(arithmetic, operands, c, form) {
    const { add, mul, div, sqrt } = arithmetic
    const { g, previousGradient: p } = operands
    const { m, v } = moments(arithmetic, operands, c)
    const xi = friction(arithmetic, form.friction, p, g)
    const step = div(mul(c.stepSize, mul(xi, m)), add(sqrt(v), c.epsilon))
    return { step, m, v, previousGradient: g, xi }
  },
})
