import { defineRule, type UpdateRule } from '../rule.ts'
import { type FrictionHyperparameters, friction, frictionAt, frictionRanges } from './diffgrad.ts'
import { momentCoefficients, moments } from './moments.ts'
import { phaseAt, type RAdamHyperparameters, radam, rectifiedStepSize } from './radam.ts'

/** The hyperparameters of DiffRGrad. */
export interface DiffRGradHyperparameters extends RAdamHyperparameters, FrictionHyperparameters {}

const defaults: DiffRGradHyperparameters = { ...radam.defaults, version: 1, aliased: false }

/**
 * DiffRGrad: RAdam with the friction coefficient ξ of diffGrad in the rectified phase. N and r are
 * defined in radam.ts; p is the previous gradient.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * ξ = σ(p − g)                                 other versions: diffgrad.ts
 * N ≥ 5:  θ ← θ − α·r/c₁ · ξm / (√v + ε)       c₁ = 1 − β₁ᵗ
 * N < 5:  θ ← θ − α/c₁ · m                     without degenerateToSgd, θ stays
 * p ← g
 * ```
 *
 * @see github.com/lessw2020/Best-Deep-Learning-Optimizers, diffgrad/diff_rgrad.py.
 */
export const diffRGrad: UpdateRule<DiffRGradHyperparameters, 'm' | 'v' | 'previousGradient', 'xi'> =
  defineRule({
    name: 'DiffRGrad',
    defaults,
    ranges: { ...radam.ranges, ...frictionRanges },
    stateNames: () => ['m', 'v', 'previousGradient'],
    intermediates: ['xi'],
    variant: (options, t) => ({ phase: phaseAt(options, t), friction: frictionAt(options, t) }),
    coefficients: (hyperparameters, t) => ({
      ...momentCoefficients(hyperparameters),
      epsilon: hyperparameters.epsilon,
      stepSize: rectifiedStepSize(hyperparameters, t),
    }),
    update(arithmetic, inputs, c, variant) {
      const { add, mul, div, sqrt } = arithmetic
      const { g, previousGradient: p } = inputs
      const { m, v } = moments(arithmetic, inputs, c)
      const xi = friction(arithmetic, variant.friction, p, g)
      const next = { m, v, previousGradient: g, xi }
      switch (variant.phase) {
        case 'rectified':
          return { step: div(mul(c.stepSize, mul(xi, m)), add(sqrt(v), c.epsilon)), ...next }
        case 'momentum':
          return { step: mul(c.stepSize, m), ...next }
        case 'none':
          return { step: undefined, ...next }
      }
    },
  })
