import { fraction } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import { friction } from './diffgrad.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  movingAverage,
} from './moments.ts'

/** The hyperparameters of diffGradNorm. */
export interface DiffGradNormHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
  /** γ, the decay rate of the moving average of gradient norms: in [0, 1). */
  readonly normDecay: number
}

const defaults: DiffGradNormHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  normDecay: 0.95,
}

/**
 * diffGradNorm: diffGrad with AdaNorm, which scales a gradient that is smaller than its predecessors up to
 * their average norm e. ‖g‖ is the norm of all elements of a parameter; only m takes the scaled gradient s.
 * p is the previous gradient.
 *
 * ```
 * e ← γe + (1 − γ)‖g‖                          from 0, for each parameter
 * s = g · max(e/‖g‖, 1)                        s = g where ‖g‖ = 0
 * m ← β₁m + (1 − β₁)s
 * v ← β₂v + (1 − β₂)g²
 * ξ = σ(|p − g|)
 * θ ← θ − α√c₂/c₁ · ξm / (√v + ε)              c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
 * p ← g
 * ```
 *
 * @see Dubey et al., "AdaNorm: Adaptive Gradient Norm Correction based Optimizer for CNNs",
 * arXiv:2210.06364, and github.com/shivram1987/AdaNorm, diffGradNorm.py.
 */
export const diffGradNorm: UpdateRule<
  DiffGradNormHyperparameters,
  'm' | 'v' | 'previousGradient',
  'xi'
> = defineRule({
  name: 'diffGradNorm',
  defaults,
  ranges: {
    normDecay: { ...fraction, symbol: 'γ', description: 'decay rate of the average norm' },
  },
  stateNames: () => ['m', 'v', 'previousGradient'],
  intermediates: ['xi'],
  sums: {
    names: ['squares'],
    evaluate: ({ square }, { g }) => ({ squares: square(g) }),
    dependents: ['scale'],
    initial: { averageNorm: 0 },
    coefficients(arithmetic, { squares }, { averageNorm: e, normDecay, oneMinusNormDecay }) {
      const { constant, add, sub, div, max, sign, sqrt } = arithmetic
      const one = constant(1)
      const norm = sqrt(squares)
      const averageNorm = movingAverage(arithmetic, e, norm, normDecay, oneMinusNormDecay)
      const divisor = add(norm, sub(one, sign(norm))) // 1 where the norm is 0: there, g is 0, too.
      return { averageNorm, scale: max(div(averageNorm, divisor), one) }
    },
  },
  coefficients(hyperparameters, t) {
    const { learningRate, epsilon, normDecay } = hyperparameters
    const { c1, c2 } = biasCorrections(hyperparameters, t)
    return {
      ...momentCoefficients(hyperparameters),
      normDecay,
      oneMinusNormDecay: 1 - normDecay,
      epsilon,
      stepSize: (learningRate * Math.sqrt(c2)) / c1,
    }
  },
  update(arithmetic, { g, m: averageG, v: averageSquare, previousGradient: p }, c) {
    const { add, mul, div, square, sqrt } = arithmetic
    const s = mul(c.scale, g)
    const m = movingAverage(arithmetic, averageG, s, c.beta1, c.oneMinusBeta1)
    const v = movingAverage(arithmetic, averageSquare, square(g), c.beta2, c.oneMinusBeta2)
    const xi = friction(arithmetic, 0, p, g)
    const step = div(mul(c.stepSize, mul(xi, m)), add(sqrt(v), c.epsilon))
    return { step, m, v, previousGradient: g, xi }
  },
})
