import { boolean } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import {
  biasCorrections,
  type MomentHyperparameters,
  momentCoefficients,
  moments,
} from './moments.ts'

/** The hyperparameters of RAdam. */
export interface RAdamHyperparameters extends Hyperparameters, MomentHyperparameters {
  /** ε, added to √v before any bias correction: at least 1e-36. */
  readonly epsilon: number
  /**
   * Whether to use momentum steps before the variance of the step can be estimated. Otherwise nothing
   * moves in this phase.
   */
  readonly degenerateToSgd: boolean
}

const defaults: RAdamHyperparameters = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  degenerateToSgd: true, // The authors' code has had both; PyTorch has this one.
}

/**
 * RAdam: Adam with a rectified variance.
 *
 * ```
 * m ← β₁m + (1 − β₁)g
 * v ← β₂v + (1 − β₂)g²
 * N ≥ 5:  θ ← θ − α·r/c₁ · m / (√v + ε)        c₁ = 1 − β₁ᵗ
 * N < 5:  θ ← θ − α/c₁ · m                     without degenerateToSgd, θ stays
 * N = N_max − 2tβ₂ᵗ/(1 − β₂ᵗ)                  N_max = 2/(1 − β₂) − 1
 * r = √(c₂ · (N−4)/(N_max−4) · (N−2)/N · N_max/(N_max−2))
 * ```
 *
 * @see Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", arXiv:1908.03265.
 */
export const radam: UpdateRule<RAdamHyperparameters, 'm' | 'v', never> = defineRule({
  name: 'RAdam',
  defaults,
  ranges: {
    degenerateToSgd: {
      ...boolean,
      description: 'momentum steps before the variance is known',
      labels: { false: 'waits first', true: 'momentum first' },
    },
  },
  stateNames: () => ['m', 'v'],
  variant: (options, t) => ({ phase: phaseAt(options, t) }),
  coefficients: (hyperparameters, t) => ({
    ...momentCoefficients(hyperparameters),
    epsilon: hyperparameters.epsilon,
    stepSize: rectifiedStepSize(hyperparameters, t),
  }),
  update(arithmetic, inputs, c, variant) {
    const { add, mul, div, sqrt } = arithmetic
    const { m, v } = moments(arithmetic, inputs, c)
    switch (variant.phase) {
      case 'rectified':
        return { step: div(mul(c.stepSize, m), add(sqrt(v), c.epsilon)), m, v }
      case 'momentum':
        return { step: mul(c.stepSize, m), m, v }
      case 'none':
        return { step: undefined, m, v }
    }
  },
})

/** The equation of a rectified rule at a step. */
export type Phase = 'rectified' | 'momentum' | 'none'

/** N, the length of the simple moving average with the variance of v at step t, and its limit. */
function lengths(beta2: number, t: number): { readonly n: number; readonly nMax: number } {
  const nMax = 2 / (1 - beta2) - 1
  return { n: nMax - (2 * t * beta2 ** t) / (1 - beta2 ** t), nMax }
}

/** The phase at step t: rectified where N ≥ 5. */
export const phaseAt = (
  { beta2, degenerateToSgd }: Pick<RAdamHyperparameters, 'beta2' | 'degenerateToSgd'>,
  t: number,
): Phase => (lengths(beta2, t).n >= 5 ? 'rectified' : degenerateToSgd ? 'momentum' : 'none')

/** α·r/c₁, the factor of m/(√v + ε) in the rectified phase, or α/c₁, the factor of m before it. */
export function rectifiedStepSize(hyperparameters: RAdamHyperparameters, t: number): number {
  const { c1, c2 } = biasCorrections(hyperparameters, t)
  const { n, nMax } = lengths(hyperparameters.beta2, t)
  const r =
    n >= 5 ? Math.sqrt((((c2 * (n - 4)) / (nMax - 4)) * ((n - 2) / n) * nMax) / (nMax - 2)) : 1
  return (hyperparameters.learningRate * r) / c1
}
