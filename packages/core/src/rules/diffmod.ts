import { boolean } from '../ranges.ts'
import { defineRule, type UpdateRule } from '../rule.ts'
import { type AdaModHyperparameters, adaMod, boundedStep, stepBoundCoefficients } from './adamod.ts'
import { type FrictionHyperparameters, friction, frictionAt, frictionRanges } from './diffgrad.ts'
import { moments } from './moments.ts'

/** The hyperparameters of DiffMod. */
export interface DiffModHyperparameters extends AdaModHyperparameters, FrictionHyperparameters {
  /** Whether to use the mean of a step size and its moving average, instead of the smaller one. */
  readonly averageStep: boolean
}

const defaults: DiffModHyperparameters = {
  ...adaMod.defaults,
  version: 0,
  aliased: false,
  averageStep: false,
}

/**
 * DiffMod: diffGrad with step sizes bounded by their own moving average s, which excludes ξ. p is the
 * previous gradient.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * η = α√c₂/c₁ / (√v + ε)                       c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * s ← β₃s + (1 − β₃)η                          β₃ = 1 − 1/memoryLength
 * ξ = σ(|p − g|)                               other versions: diffgrad.ts
 * θ ← θ − min(η, s) · ξm                       with averageStep: (η + s)/2
 * p ← g
 * ```
 *
 * @see github.com/lessw2020/Best-Deep-Learning-Optimizers, diffmod/diffmod.py.
 */
export const diffMod: UpdateRule<
  DiffModHyperparameters,
  'm' | 'v' | 's' | 'previousGradient',
  'xi'
> = defineRule({
  name: 'DiffMod',
  defaults,
  ranges: {
    ...adaMod.ranges,
    ...frictionRanges,
    averageStep: {
      ...boolean,
      description: 'the mean of a step size and its average, instead of the smaller one',
      labels: { false: 'smaller step', true: 'averaged step' },
    },
  },
  stateNames: () => ['m', 'v', 's', 'previousGradient'],
  intermediates: ['xi'],
  variant: (options, t) => ({
    friction: frictionAt(options, t),
    averageStep: options.averageStep,
  }),
  coefficients: (hyperparameters, t) => stepBoundCoefficients(hyperparameters, t),
  update(arithmetic, inputs, c, variant) {
    const { mul } = arithmetic
    const { g, previousGradient: p } = inputs
    const { m, v } = moments(arithmetic, inputs, c)
    const { eta, s } = boundedStep(arithmetic, { v, s: inputs.s }, c, variant.averageStep)
    const xi = friction(arithmetic, variant.friction, p, g)
    return { step: mul(eta, mul(xi, m)), m, v, s, previousGradient: g, xi }
  },
})
