import { type CommonOptions, defineRule, type UpdateRule } from '../rule.ts'
import { moments } from './moments.ts'
import { boundedStep, type StepBoundOptions, stepBoundCoefficients } from './step-bound.ts'

/** The hyperparameters of AdaMod. */
export interface AdaModOptions extends CommonOptions, StepBoundOptions {}

const defaults: AdaModOptions = {
  learningRate: 1e-3,
  weightDecay: 0,
  decay: 'decoupled',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  memoryLength: 1000,
}

/**
 * AdaMod, Adam whose step sizes never exceed their own running average: θ ← θ − min(η, s)·m.
 *
 * @see Ding et al., "An Adaptive and Momental Bound Method for Stochastic Learning",
 * arXiv:1910.12249.
 */
export const adaMod: UpdateRule<AdaModOptions> = defineRule({
  name: 'AdaMod',
  defaults,
  slots: () => ['m', 'v', 's'],
  coefficients: (options, t) => stepBoundCoefficients(options, t),
  update(arithmetic, operands, c) {
    const { m, v } = moments(arithmetic, operands, c)
    const { eta, s } = boundedStep(arithmetic, { v, s: operands.s }, c, false)
    return { step: arithmetic.mul(eta, m), m, v, s }
  },
})
