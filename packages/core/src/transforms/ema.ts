import { defineKernel, type Kernel } from '../kernel.ts'

/** An exponential moving average of the weights, for evaluation. */
export interface Ema {
  /** d, the weight of the previous average in the next one: in [0, 1). */
  readonly decay: number
}

/** ema ← θ, before the first step. */
export const emaInit: Kernel = defineKernel({
  name: 'EMA',
  reads: ['theta'],
  writes: ['ema'],
  coefficients: [],
  evaluate: (_, { theta }) => ({ ema: theta }),
})

/** ema ← ema + (1 − d)(θ − ema). */
export const emaUpdate: Kernel = defineKernel({
  name: 'EMA',
  reads: ['theta', 'ema'],
  writes: ['ema'],
  coefficients: ['oneMinusDecay'],
  evaluate: ({ add, sub, mul }, { theta, ema }, { oneMinusDecay }) => ({
    ema: add(ema, mul(oneMinusDecay, sub(theta, ema))),
  }),
})

/** θ ↔ ema. */
export const emaSwap: Kernel = defineKernel({
  name: 'EMA',
  reads: ['theta', 'ema'],
  writes: ['theta', 'ema'],
  coefficients: [],
  evaluate: (_, { theta, ema }) => ({ theta: ema, ema: theta }),
})
