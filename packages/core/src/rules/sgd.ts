import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'

/** The hyperparameters of stochastic gradient descent. */
export interface SgdHyperparameters extends Hyperparameters {
  /** μ, the decay rate of the velocity: in [0, 1). With 0 there is no velocity. */
  readonly momentum: number
  /** Whether to use Nesterov momentum. */
  readonly nesterov: boolean
}

const defaults: SgdHyperparameters = {
  learningRate: 1e-2,
  weightDecay: 0,
  decay: 'l2',
  momentum: 0,
  nesterov: false,
}

/**
 * Stochastic gradient descent, with momentum.
 *
 * ```
 * m ← μm + g
 * θ ← θ − αm                  with nesterov: θ ← θ − α(g + μm)
 * ```
 *
 * @see torch.optim.SGD, which has the same form: α multiplies the velocity and is not inside it.
 */
export const sgd: UpdateRule<SgdHyperparameters, 'm', never> = defineRule({
  name: 'SGD',
  defaults,
  conflict: ({ momentum, nesterov }) =>
    nesterov && momentum === 0 ? 'nesterov needs a momentum above 0' : undefined,
  stateNames: ({ momentum }) => (momentum === 0 ? [] : ['m']),
  variant: ({ momentum, nesterov }) => ({ momentum: momentum !== 0, nesterov }),
  coefficients: ({ learningRate, momentum }) => ({ learningRate, momentum }),
  update({ add, mul }, { g, m: velocity }, { learningRate, momentum }, variant) {
    if (!variant.momentum) return { step: mul(learningRate, g), m: g }
    const m = add(mul(momentum, velocity), g)
    return { step: mul(learningRate, variant.nesterov ? add(g, mul(momentum, m)) : m), m }
  },
})
