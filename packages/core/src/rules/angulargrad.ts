import { oneOf } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The hyperparameters of AngularGrad. */
export interface AngularGradHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
  /** The function of the angle that scales a step: its cosine, or its tangent. */
  readonly angle: 'cos' | 'tan'
}

const defaults: AngularGradHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  angle: 'cos',
}

/**
 * AngularGrad, by the authors of diffGrad: the friction is a function of the angle A between the lines of slope g and
 * p, the previous gradient, or of the previous angle A′ if that is smaller. At the first step p and A′ are 0.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * tan A = |(p − g) / (1 + pg)|
 * φ = ½ tanh(cos min(A, A′)) + ½               or tan for cos, by `angle`
 *   = σ(2 cos min(A, A′))                      as it is computed, from tan A
 * θ ← θ − α√c₂/c₁ · φm / (√v + ε)              c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * p ← g,  A′ ← A
 * ```
 *
 * @see Roy et al., "AngularGrad: A New Optimization Technique for Angular Convergence of Convolutional Neural
 * Networks", arXiv:2105.10190.
 */
export const angularGrad: UpdateRule<
  AngularGradHyperparameters,
  'm' | 'v' | 'previousGradient' | 'previousTangent',
  'phi'
> = defineRule({
  name: 'AngularGrad',
  defaults,
  ranges: {
    angle: {
      ...oneOf('cos', 'tan'),
      description: 'function of the angle between gradients',
      labels: { cos: 'cosine', tan: 'tangent' },
    },
  },
  stateNames: () => ['m', 'v', 'previousGradient', 'previousTangent'],
  intermediates: ['phi'],
  variant: ({ angle }) => ({ angle }),
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    return {
      ...momentCoefficients(hyperparameters),
      epsilon,
      stepSize: (learningRate * Math.sqrt(c2)) / c1,
    }
  },
  update(arithmetic, inputs, c, { angle }) {
    const { constant, add, sub, mul, div, min, abs, square, sqrt, sigmoid } = arithmetic
    const { g, previousGradient: p, previousTangent } = inputs
    const { m, v } = moments(arithmetic, inputs, c)
    const [one, two] = [constant(1), constant(2)]
    const tangent = abs(div(sub(p, g), add(one, mul(p, g))))
    const smaller = min(tangent, previousTangent) // The tangent rises with the angle, to ∞ at 90°.
    const value = angle === 'tan' ? smaller : div(one, sqrt(add(one, square(smaller))))
    const phi = sigmoid(mul(two, value))
    const step = div(mul(c.stepSize, mul(phi, m)), add(sqrt(v), c.epsilon))
    return { step, m, v, previousGradient: g, previousTangent: tangent, phi }
  },
})
