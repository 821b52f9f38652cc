import { fraction, oneOf } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  movingAverage,
} from './moments.ts'

/**
 * The hyperparameters of Adan. β₂ is the decay rate of the average change of the gradient, and the weight of that
 * average in a step. The paper calls 1 − β what is β here and in its authors' code.
 */
export interface AdanHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** β₃, the decay rate of v: in [0, 1). */
  readonly beta3: number
  /** ε, added to the square root of the bias-corrected v: at least 1e-36. */
  readonly epsilon: number
}

const defaults: AdanHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'proximal',
  beta1: 0.98,
  beta2: 0.92,
  beta3: 0.99,
  epsilon: 1e-8,
}

/**
 * Adan: Adam with Nesterov momentum that needs the gradient at θ alone, because the change of the gradient
 * predicts the next one. p is the previous gradient; at the first step there is no change. Weight decay is
 * proximal, or decoupled; λθ in g would enter the change of the gradient, so L2 decay is refused.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * d ← β₂d + (1 − β₂)(g − p)
 * v ← β₃v + (1 − β₃)(g + β₂(g − p))²
 * θ ← θ − α · (m/c₁ + β₂d/c₂) / (√(v/c₃) + ε)                 cᵢ = 1 − βᵢᵗ
 *   = θ − (α√c₃/c₁ · m + αβ₂√c₃/c₂ · d) / (√v + ε√c₃)         as it is computed
 * p ← g
 * ```
 *
 * @see Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
 * arXiv:2208.06677, algorithm 1, and github.com/sail-sg/Adan, adan.py.
 */
export const adan: UpdateRule<AdanHyperparameters, 'm' | 'd' | 'v' | 'previousGradient', never> =
  defineRule({
    name: 'Adan',
    defaults,
    ranges: {
      decay: { ...oneOf('proximal', 'decoupled'), description: 'kind of weight decay' },
      beta2: { ...fraction, symbol: 'β₂', description: 'decay rate of the average change' },
      beta3: { ...fraction, symbol: 'β₃', description: 'decay rate of the average square' },
    },
    stateNames: () => ['m', 'd', 'v', 'previousGradient'],
    coefficients(hyperparameters, t) {
      const { learningRate, beta2, beta3, epsilon } = hyperparameters
      const { c1, c2 } = biasCorrections(hyperparameters, t)
      const rootC3 = Math.sqrt(1 - beta3 ** t)
      const first = t === 1
      return {
        ...momentCoefficients(hyperparameters),
        ...(first && { oneMinusBeta2: 0 }),
        changeWeight: first ? 0 : beta2,
        beta3,
        oneMinusBeta3: 1 - beta3,
        momentumStep: (learningRate * rootC3) / c1,
        changeStep: (learningRate * beta2 * rootC3) / c2,
        epsilonHat: epsilon * rootC3,
      }
    },
    update(arithmetic, { g, previousGradient, ...averages }, c) {
      const { add, sub, mul, div, square, sqrt } = arithmetic
      const change = sub(g, previousGradient)
      const predicted = add(g, mul(c.changeWeight, change))
      const m = movingAverage(arithmetic, averages.m, g, c.beta1, c.oneMinusBeta1)
      const d = movingAverage(arithmetic, averages.d, change, c.beta2, c.oneMinusBeta2)
      const v = movingAverage(arithmetic, averages.v, square(predicted), c.beta3, c.oneMinusBeta3)
      const direction = add(mul(c.momentumStep, m), mul(c.changeStep, d))
      return { step: div(direction, add(sqrt(v), c.epsilonHat)), m, d, v, previousGradient: g }
    },
  })
