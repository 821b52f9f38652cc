import { defineKernel, type Kernel } from '../kernel.ts'

/** Slow weights that follow the optimizer's fast ones. */
export interface Lookahead {
  /** k, after how many updates the slow weights follow: at least 1. */
  readonly every: number
  /** α, which part of the way they go: in (0, 1]. */
  readonly alpha: number
}

/** slow ← θ, before the first step. */
export const captureSlow: Kernel = defineKernel({
  name: 'Lookahead',
  reads: ['theta'],
  writes: ['slow'],
  coefficients: [],
  evaluate: (_, { theta }) => ({ slow: theta }),
})

/**
 * slow ← slow + α(θ − slow), θ ← slow.
 *
 * @see Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", arXiv:1907.08610.
 */
export const followSlow: Kernel = defineKernel({
  name: 'Lookahead',
  reads: ['theta', 'slow'],
  writes: ['theta', 'slow'],
  coefficients: ['alpha'],
  evaluate({ add, sub, mul }, { theta, slow }, { alpha }) {
    const moved = add(slow, mul(alpha, sub(theta, slow)))
    return { theta: moved, slow: moved }
  },
})
