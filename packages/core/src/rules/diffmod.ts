import { defineRule, type UpdateRule } from '../rule.ts'
import { type AdaModOptions, adaMod } from './adamod.ts'
import { type FrictionOptions, friction, frictionForm } from './friction.ts'
import { moments } from './moments.ts'
import { boundedStep, stepBoundCoefficients } from './step-bound.ts'

/** The hyperparameters of DiffMod. */
export interface DiffModOptions extends AdaModOptions, FrictionOptions {
  /** Whether a step size and its running average are averaged, rather than the smaller taken. */
  readonly averageStep: boolean
}

const defaults: DiffModOptions = {
  ...adaMod.defaults,
  version: 0,
  aliased: false,
  averageStep: false,
}

/**
 * DiffMod, diffGrad whose step sizes never exceed their own running average, into which ξ does not
 * enter: θ ← θ − min(η, s)·ξm.
 *
 * @see github.com/lessw2020/Best-Deep-Learning-Optimizers, diffmod/diffmod.py.
 */
export const diffMod: UpdateRule<DiffModOptions> = defineRule({
  name: 'DiffMod',
  defaults,
  slots: () => ['m', 'v', 's', 'previousGradient'],
  inner: ['xi'],
  form: (settings, t) => ({
    friction: frictionForm(settings, t),
    averageStep: settings.averageStep,
  }),
  coefficients: (options, t) => stepBoundCoefficients(options, t),
  update(arithmetic, operands, c, form) {
    const { mul } = arithmetic
    const { g, previousGradient: p } = operands
    const { m, v } = moments(arithmetic, operands, c)
    const { eta, s } = boundedStep(arithmetic, { v, s: operands.s }, c, form.averageStep)
    const xi = friction(arithmetic, form.friction, p, g)
    return { step: mul(eta, mul(xi, m)), m, v, s, previousGradient: g, xi }
  },
})
