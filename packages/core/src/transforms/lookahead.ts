import { defineKernel, type Kernel } from '../kernel.ts'

/** Slow weights that are synchronized with the optimizer's fast weights every few steps. */
export interface Lookahead {
  /** k, the number of updates between two synchronizations: at least 1. */
  readonly every: number
  /** α, the step size of the slow weights: in (0, 1]. */
  readonly alpha: number
}

/**
 * slow ← slow + α(θ − slow), θ ← slow.
 *
 * @see Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610.
 */
export const lookaheadSync: Kernel = defineKernel({
  name: 'Lookahead',
  reads: ['theta', 'slow'],
  writes: ['theta', 'slow'],
  coefficients: ['alpha'],
  evaluate({ add, sub, mul }, { theta, slow }, { alpha }) {
    const next = add(slow, mul(alpha, sub(theta, slow)))
    return { theta: next, slow: next }
  },
})
