import { defineRule, type UpdateRule } from '../rule.ts'
import { type FrictionOptions, friction, frictionForm } from './friction.ts'
import { momentCoefficients, moments } from './moments.ts'
import { type RAdamOptions, radam } from './radam.ts'
import { phase, rectifiedStepSize } from './rectification.ts'

/** The hyperparameters of DiffRGrad. */
export interface DiffRGradOptions extends RAdamOptions, FrictionOptions {}

const defaults: DiffRGradOptions = { ...radam.defaults, version: 1, aliased: false }

/**
 * DiffRGrad, diffGrad with a rectified variance: θ ← θ − α·r/c₁ · ξm / (√v + ε), and before that is
 * possible, θ ← θ − α/c₁ · m without friction, or nothing.
 *
 * @see github.com/lessw2020/Best-Deep-Learning-Optimizers, diffgrad/diff_rgrad.py.
 */
export const diffRGrad: UpdateRule<DiffRGradOptions> = defineRule({
  name: 'DiffRGrad',
  defaults,
  slots: () => ['m', 'v', 'previousGradient'],
  inner: ['xi'],
  form: (settings, t) => ({ phase: phase(settings, t), friction: frictionForm(settings, t) }),
  coefficients: (options, t) => ({
    ...momentCoefficients(options),
    epsilon: options.epsilon,
    stepSize: rectifiedStepSize(options, t),
  }),
  update(arithmetic, operands, c, form) {
    const { add, mul, div, sqrt } = arithmetic
    const { g, previousGradient: p } = operands
    const xi = friction(arithmetic, form.friction, p, g)
    const after = { ...moments(arithmetic, operands, c), previousGradient: g, xi }
    switch (form.phase) {
      case 'rectified': {
        const adapted = div(mul(c.stepSize, mul(xi, after.m)), add(sqrt(after.v), c.epsilon))
        return { step: adapted, ...after }
      }
      case 'momentum':
        return { step: mul(c.stepSize, after.m), ...after }
      case 'still':
        return { step: undefined, ...after }
    }
  },
})
