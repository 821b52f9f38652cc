import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'
import { type MomentHyperparameters, momentCoefficients, movingAverage } from './moments.ts'

/** The hyperparameters of Lion. Its β₁ and β₂ both are decay rates of averages of gradients. */
export interface LionHyperparameters extends Hyperparameters, MomentHyperparameters {}

const defaults: LionHyperparameters = {
  learningRate: 1e-4,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.99,
}

/**
 * Lion: every element steps by α, against the sign of an average of gradients. The average that is kept, m, is
 * slower than the one whose sign counts. Decay must be decoupled: λθ in g would change but signs.
 *
 * ```
 * θ ← θ − α · sign(β₁m + (1 − β₁)g)
 * m ← β₂m + (1 − β₂)g                          after the step
 * ```
 *
 * @see Chen et al., "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675, algorithm 2.
 */
export const lion: UpdateRule<LionHyperparameters, 'm', never> = defineRule({
  name: 'Lion',
  defaults,
  conflict: ({ decay, weightDecay }) =>
    decay === 'l2' && weightDecay !== 0
      ? 'decay must be decoupled, because an L2 decay only changes signs, but is l2'
      : undefined,
  stateNames: () => ['m'],
  coefficients: (hyperparameters) => ({
    learningRate: hyperparameters.learningRate,
    ...momentCoefficients(hyperparameters),
  }),
  update(arithmetic, { g, m }, c) {
    const { mul, sign } = arithmetic
    const direction = sign(movingAverage(arithmetic, m, g, c.beta1, c.oneMinusBeta1))
    const next = movingAverage(arithmetic, m, g, c.beta2, c.oneMinusBeta2)
    return { step: mul(c.learningRate, direction), m: next }
  },
})
