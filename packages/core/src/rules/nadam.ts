import { nonNegative } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The hyperparameters of NAdam and NAdamW. */
export interface NAdamHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to the square root of the bias-corrected v: at least 1e-36. */
  readonly epsilon: number
  /** ψ, how fast the momentum of a step rises from β₁/2 to β₁: at least 0, where it stays at β₁/2. */
  readonly momentumDecay: number
}

const defaults: NAdamHyperparameters = {
  learningRate: 2e-3,
  weightDecay: 0,
  decay: 'l2',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  momentumDecay: 4e-3,
}

/** μ, the momentum of step t. */
const momentumAt = ({ beta1, momentumDecay }: NAdamHyperparameters, t: number): number =>
  beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay))

/**
 * NAdam: Adam with Nesterov momentum, which applies the momentum of the next step at once. μ is the momentum
 * of a step; m is a moving average with β₁, as in Adam. Π is the product of all momenta so far, which a
 * schedule of β₁ changes: it is the scalar state of the rule.
 *
 * ```
 * μₜ = β₁(1 − ½ · 0.96^(tψ))                   Π ← Πμₜ, from 1
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * θ ← θ − α · ((1 − μₜ)/(1 − Π) · g + μₜ₊₁/(1 − Πμₜ₊₁) · m) / (√(v/c₂) + ε)          c₂ = 1 − β₂ᵗ
 * ```
 *
 * @see Dozat, "Incorporating Nesterov Momentum into Adam", 2016, algorithm 2; the warm-up of μ is that of
 * Sutskever et al., 2013, as in torch.optim.NAdam. docs/rule.md says which releases have another product.
 */
export const nadam: UpdateRule<NAdamHyperparameters, 'm' | 'v', never> = defineRule({
  name: 'NAdam',
  defaults,
  ranges: {
    momentumDecay: { ...nonNegative, symbol: 'ψ', description: 'rise of the momentum' },
  },
  stateNames: () => ['m', 'v'],
  scalars: {
    initial: { momentumProduct: 1 },
    next: ({ momentumProduct }, hyperparameters, t) => ({
      momentumProduct: momentumProduct * momentumAt(hyperparameters, t),
    }),
  },
  coefficients(hyperparameters, t, { momentumProduct }) {
    const { learningRate, epsilon } = hyperparameters
    const rootC2 = Math.sqrt(biasCorrections(hyperparameters, t).c2)
    const [momentum, next] = [momentumAt(hyperparameters, t), momentumAt(hyperparameters, t + 1)]
    return {
      ...momentCoefficients(hyperparameters),
      gradientStep: (learningRate * rootC2 * (1 - momentum)) / (1 - momentumProduct),
      momentumStep: (learningRate * rootC2 * next) / (1 - momentumProduct * next),
      epsilonHat: epsilon * rootC2,
    }
  },
  update(arithmetic, inputs, c) {
    const { add, mul, div, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, inputs, c)
    const direction = add(mul(c.gradientStep, inputs.g), mul(c.momentumStep, m))
    return { step: div(direction, add(sqrt(v), c.epsilonHat)), m, v }
  },
})

/**
 * NAdamW: NAdam with decoupled weight decay, 0.01 by default.
 *
 * @see Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
 */
export const nadamW: typeof nadam = defineRule({
  ...nadam,
  name: 'NAdamW',
  defaults: { ...defaults, weightDecay: 0.01, decay: 'decoupled' },
})
