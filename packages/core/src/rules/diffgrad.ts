import type { Arithmetic } from '../arithmetic.ts'
import { boolean, type OptionRange, type OptionText, oneOf } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The choice of the friction coefficient ξ. */
export interface FrictionHyperparameters {
  /** The equation for ξ: 0 is the main one of the paper, 1 is signed, 2 has a wider range. */
  readonly version: 0 | 1 | 2
  /**
   * Whether to reproduce the bug of the first published code, which kept the previous gradient by
   * reference: from the second step on it equals the current gradient, and ξ = ½.
   */
  readonly aliased: boolean
}

/** The ranges and texts of the choice of ξ. */
export const frictionRanges: Readonly<
  Record<keyof FrictionHyperparameters, OptionRange & OptionText>
> = {
  version: {
    ...oneOf(0, 1, 2),
    description: 'version of ξ',
    labels: { 0: 'version 0, the paper’s', 1: 'version 1, signed', 2: 'version 2, up to 5' },
  },
  aliased: {
    ...boolean,
    description: 'the aliasing bug of the original code (ξ = ½)',
    labels: { false: 'fixed', true: 'original' },
  },
}

/** The hyperparameters of diffGrad. */
export interface DiffGradHyperparameters
  extends Hyperparameters,
    MomentHyperparameters,
    FrictionHyperparameters {
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
}

const defaults: DiffGradHyperparameters = {
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
 * diffGrad: Adam with a friction coefficient ξ, which is ½ for an element whose gradient does not change
 * and grows with the change. p is the previous gradient.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * ξ = σ(|p − g|)                               other versions: friction
 * θ ← θ − α√c₂/c₁ · ξm / (√v + ε)              c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * p ← g
 * ```
 *
 * @see Dubey et al., "diffGrad: An Optimization Method for Convolutional Neural Networks",
 * arXiv:1909.11015.
 */
export const diffGrad: UpdateRule<DiffGradHyperparameters, 'm' | 'v' | 'previousGradient', 'xi'> =
  defineRule({
    name: 'diffGrad',
    defaults,
    ranges: frictionRanges,
    stateNames: () => ['m', 'v', 'previousGradient'],
    intermediates: ['xi'],
    variant: (options, t) => ({ friction: frictionAt(options, t) }),
    coefficients(hyperparameters, t) {
      const { learningRate, epsilon } = hyperparameters
      const { c1, c2 } = biasCorrections(hyperparameters, t)
      return {
        ...momentCoefficients(hyperparameters),
        epsilon,
        stepSize: (learningRate * Math.sqrt(c2)) / c1,
      }
    },
    update(arithmetic, inputs, c, variant) {
      const { add, mul, div, sqrt } = arithmetic
      const { g, previousGradient: p } = inputs
      const { m, v } = moments(arithmetic, inputs, c)
      const xi = friction(arithmetic, variant.friction, p, g)
      const step = div(mul(c.stepSize, mul(xi, m)), add(sqrt(v), c.epsilon))
      return { step, m, v, previousGradient: g, xi }
    },
  })

/** The equation for ξ at a step: a version, or the constant ½. */
export type Friction = 0 | 1 | 2 | 'half'

/** The equation at step t. With `aliased`, the first step still uses the version, with p = 0. */
export const frictionAt = ({ version, aliased }: FrictionHyperparameters, t: number): Friction =>
  aliased && t > 1 ? 'half' : version

/**
 * ξ, from the previous gradient p and the current gradient g, with σ the logistic function.
 *
 * ```
 * version 0:  ξ = σ(|p − g|)           in [½, 1)
 * version 1:  ξ = σ(p − g)             in (0, 1)
 * version 2:  ξ = 9·σ(½|p − g|) − 4    in [½, 5)
 * ```
 *
 * @see Dubey et al., "diffGrad: An Optimization Method for Convolutional Neural Networks",
 * arXiv:1909.11015; docs/rule.md says where each version was published.
 */
export function friction<T>(
  { constant, sub, mul, abs, sigmoid }: Arithmetic<T>,
  equation: Friction,
  p: T,
  g: T,
): T {
  switch (equation) {
    case 0:
      return sigmoid(abs(sub(p, g)))
    case 1:
      return sigmoid(sub(p, g))
    case 2:
      return sub(mul(constant(9), sigmoid(mul(constant(0.5), abs(sub(p, g))))), constant(4))
    case 'half':
      return constant(0.5)
  }
}
