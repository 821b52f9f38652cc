import { type CommonOptions, defineRule, type UpdateRule } from '../rule.ts'

/** The hyperparameters of stochastic gradient descent. */
export interface SgdOptions extends CommonOptions {
  /** μ, the share of the velocity that survives a step: in [0, 1). Without it, nothing is kept. */
  readonly momentum: number
  /** Whether the step looks one momentum ahead. */
  readonly nesterov: boolean
}

const defaults: SgdOptions = {
  learningRate: 1e-2,
  weightDecay: 0,
  decay: 'l2',
  momentum: 0,
  nesterov: false,
}

/**
 * Stochastic gradient descent: m ← μm + g, θ ← θ − αm; with Nesterov's look ahead, θ ← θ − α(g + μm).
 *
 * @see torch.optim.SGD, whose form this is: α multiplies the velocity and is not inside it.
 */
export const sgd: UpdateRule<SgdOptions> = defineRule({
  name: 'SGD',
  defaults,
  conflict: ({ momentum, nesterov }) =>
    nesterov && momentum === 0 ? 'nesterov needs a momentum above 0' : undefined,
  slots: ({ momentum }) => (momentum === 0 ? [] : ['m']),
  form: ({ momentum, nesterov }) => ({ momentum: momentum !== 0, nesterov }),
  coefficients: ({ learningRate, momentum }) => ({ learningRate, momentum }),
  update({ add, mul }, { g, m: velocity }, { learningRate, momentum }, form) {
    if (!form.momentum) return { step: mul(learningRate, g), m: g }
    const m = add(mul(momentum, velocity), g)
    return { step: mul(learningRate, form.nesterov ? add(g, mul(momentum, m)) : m), m }
  },
})
