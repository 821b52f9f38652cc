import { defineKernel, type Kernel } from '../kernel.ts'

/** An exponential moving average of the weights, for evaluation. */
export interface WeightAveraging {
  /** The share of the average that survives an update: in [0, 1). */
  readonly decay: number
}

/** average ← θ, before the first step. */
export const captureAverage: Kernel = defineKernel({
  name: 'weight average',
  reads: ['theta'],
  writes: ['average'],
  coefficients: [],
  evaluate: (_, { theta }) => ({ average: theta }),
})

/** average ← average + (1 − d)(θ − average). */
export const followAverage: Kernel = defineKernel({
  name: 'weight average',
  reads: ['theta', 'average'],
  writes: ['average'],
  coefficients: ['oneMinusDecay'],
  evaluate: ({ add, sub, mul }, { theta, average }, { oneMinusDecay }) => ({
    average: add(average, mul(oneMinusDecay, sub(theta, average))),
  }),
})

/** θ ↔ average. */
export const exchangeAverage: Kernel = defineKernel({
  name: 'weight average',
  reads: ['theta', 'average'],
  writes: ['theta', 'average'],
  coefficients: [],
  evaluate: (_, { theta, average }) => ({ theta: average, average: theta }),
})
