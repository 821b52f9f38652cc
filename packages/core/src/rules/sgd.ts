import { boolean, fraction } from '../ranges.ts'
import { defineRule, type Hyperparameters, type UpdateRule } from '../rule.ts'

/** The hyperparameters of stochastic gradient descent. */
export interface SgdHyperparameters extends Hyperparameters {
  /** μ, the decay rate of the velocity: in [0, 1). With 0 there is no velocity. */
  readonly momentum: number
  /** d, by which the velocity takes less of each gradient but the first: in [0, 1). */
  readonly dampening: number
  /** Whether to use Nesterov momentum. */
  readonly nesterov: boolean
}

const defaults: SgdHyperparameters = {
  learningRate: 1e-2,
  weightDecay: 0,
  decay: 'l2',
  momentum: 0,
  dampening: 0,
  nesterov: false,
}

/**
 * Stochastic gradient descent, with momentum.
 *
 * ```
 * m ← μm + (1 − d)g          at the first step m ← g, whatever d
 * θ ← θ − αm                  with nesterov: θ ← θ − α(g + μm)
 * ```
 *
 * @see torch.optim.SGD, which has the same form: α multiplies the velocity and is not inside it.
 */
export const sgd: UpdateRule<SgdHyperparameters, 'm', never> = defineRule({
  name: 'SGD',
  defaults,
  ranges: {
    momentum: { ...fraction, symbol: 'μ', description: 'momentum' },
    dampening: { ...fraction, description: 'dampening of the momentum' },
    nesterov: { ...boolean, description: 'Nesterov momentum' },
  },
  conflict({ momentum, dampening, nesterov }) {
    if (nesterov && momentum === 0) return 'nesterov needs a momentum above 0'
    if (nesterov && dampening > 0) return `nesterov needs a dampening of 0, but it is ${dampening}`
    if (dampening > 0 && momentum === 0) return 'dampening needs a momentum above 0'
    return undefined
  },
  stateNames: ({ momentum }) => (momentum === 0 ? [] : ['m']),
  variant: ({ momentum, nesterov }) => ({ momentum: momentum !== 0, nesterov }),
  coefficients: ({ learningRate, momentum, dampening }, t) => ({
    learningRate,
    momentum,
    oneMinusDampening: t === 1 ? 1 : 1 - dampening,
  }),
  update({ add, mul }, { g, m: velocity }, c, variant) {
    const { learningRate, momentum } = c
    if (!variant.momentum) return { step: mul(learningRate, g), m: g }
    const m = add(mul(momentum, velocity), mul(c.oneMinusDampening, g))
    return { step: mul(learningRate, variant.nesterov ? add(g, mul(momentum, m)) : m), m }
  },
})
