import type { Arithmetic } from '../arithmetic.ts'
import { oneOf } from '../ranges.ts'
import { defineRule, type Hyperparameters, type RuleInputs, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The hyperparameters of LAMB. */
export interface LambHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to the square root of the bias-corrected v: at least 1e-36. */
  readonly epsilon: number
}

const defaults: LambHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0.01,
  decay: 'scaled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-6,
}

/**
 * LAMB: Adam whose step of a parameter has the norm of the parameter, times α, for large batches. u is the direction
 * of Adam with weight decay; ‖θ‖ and ‖u‖ are norms of all elements of a parameter.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * u = (m/c₁) / (√(v/c₂) + ε) + λθ              c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * θ ← θ − α · ‖θ‖/‖u‖ · u                      1 for ‖θ‖/‖u‖ where a norm is 0
 * ```
 *
 * @see You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", arXiv:1904.00962,
 * algorithm 2 with φ(z) = z.
 */
export const lamb: UpdateRule<LambHyperparameters, 'm' | 'v', never> = defineRule({
  name: 'LAMB',
  defaults,
  ranges: {
    decay: {
      ...oneOf('scaled'),
      description: 'kind of weight decay: a part of the direction whose norm is scaled',
    },
  },
  stateNames: () => ['m', 'v'],
  coefficients(hyperparameters, t) {
    const { learningRate, weightDecay, epsilon } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    return {
      ...momentCoefficients(hyperparameters),
      correction: Math.sqrt(c2) / c1,
      epsilonHat: epsilon * Math.sqrt(c2),
      lambda: weightDecay,
      alpha: learningRate,
    }
  },
  sums: {
    names: ['squaredParameter', 'squaredDirection'],
    evaluate: (arithmetic, inputs, c) => ({
      squaredParameter: arithmetic.square(inputs.theta),
      squaredDirection: arithmetic.square(direction(arithmetic, inputs, c).u),
    }),
    dependents: ['stepSize'],
    coefficients({ constant, add, sub, mul, div, sign, sqrt }, sums, { alpha }) {
      const scaled = mul(sign(sums.squaredParameter), sign(sums.squaredDirection))
      const unscaled = sub(constant(1), scaled) // 1 where a norm is 0, for 1/1.
      const [squaredParameter, squaredDirection] = [
        add(mul(scaled, sums.squaredParameter), unscaled),
        add(mul(scaled, sums.squaredDirection), unscaled),
      ]
      return { stepSize: mul(alpha, sqrt(div(squaredParameter, squaredDirection))) }
    },
  },
  update(arithmetic, inputs, c) {
    const { u, m, v } = direction(arithmetic, inputs, c)
    return { step: arithmetic.mul(c.stepSize, u), m, v }
  },
})

/** u, with the new m and v. */
function direction<T>(
  arithmetic: Arithmetic<T>,
  inputs: RuleInputs<T, 'm' | 'v'>,
  c: { readonly [K in keyof ReturnType<typeof momentCoefficients>]: T } & {
    readonly [K in 'correction' | 'epsilonHat' | 'lambda']: T
  },
): { readonly u: T; readonly m: T; readonly v: T } {
  const { add, mul, div, sqrt } = arithmetic
  const { m, v } = moments(arithmetic, inputs, c)
  const adam = div(mul(c.correction, m), add(sqrt(v), c.epsilonHat))
  return { u: add(adam, mul(c.lambda, inputs.theta)), m, v }
}
