import { defineKernel, type Kernel } from '../kernel.ts'

/** An exponential moving average of the weights, for evaluation. */
export interface Ema {
  /** d, the weight of the previous average in the next one: in [0, 1). */
  readonly decay: number
  /** A lower decay in the first steps; none if omitted. */
  readonly warmup?: EmaWarmup | undefined
}

/**
 * γ and p of a warm-up of the decay: min(d, 1 − (1 + n/γ)⁻ᵖ) after n updates. Both are above 0. With γ = p = 1
 * the average is the mean of all weights until it reaches d.
 *
 * @see timm's ModelEmaV3: 1 and 2/3 for a million updates, 1 and 3/4 for fewer.
 */
export interface EmaWarmup {
  readonly gamma: number
  readonly power: number
}

/** The decay of update t, counted from 1. */
export const emaDecayAt = ({ decay, warmup }: Ema, t: number): number =>
  warmup ? Math.min(decay, 1 - (1 + (t - 1) / warmup.gamma) ** -warmup.power) : decay

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

/** to ← from: weights that an average or slow weights start at, and training weights that return. */
export const copyWeights: Kernel = defineKernel({
  name: 'copy weights',
  reads: ['from'],
  writes: ['to'],
  coefficients: [],
  evaluate: (_, { from }) => ({ to: from }),
})

/** θ ↔ ema. */
export const swapWeights: Kernel = defineKernel({
  name: 'swap weights',
  reads: ['theta', 'ema'],
  writes: ['theta', 'ema'],
  coefficients: [],
  evaluate: (_, { theta, ema }) => ({ theta: ema, ema: theta }),
})
