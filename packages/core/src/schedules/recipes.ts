import { fraction, mustHold } from '../ranges.ts'
import { constant, cosine, join, type RampOptions } from './curves.ts'
import type { Schedule } from './schedule.ts'

/** The step nearest to a share of all steps, with at least one step on either side. */
function split(kind: string, share: number, steps: number): number {
  mustHold(kind, 'start', share, fraction)
  mustHold(kind, 'steps', steps, {
    text: 'a whole number, at least 2',
    holds: (value) => Number.isSafeInteger(value) && Number(value) >= 2,
  })
  return Math.min(Math.max(Math.round(share * steps), 1), steps - 1)
}

/**
 * Constant until a share `start` of all steps, 0.72 where left out, then half a cosine wave.
 *
 * @throws RangeError on a bad option.
 */
export function flatCosine(options: RampOptions & { readonly start?: number }): Schedule {
  const { from, to = 0, steps, start = 0.72 } = options
  const flat = split('flatCosine', start, steps)
  return join(
    { schedule: constant(from), steps: flat },
    { schedule: cosine({ from, to, steps: steps - flat }), steps: steps - flat },
  )
}

/** How a one-cycle schedule rises and falls. */
export interface OneCycleOptions {
  /** The learning rate at its peak. */
  readonly peak: number
  readonly steps: number
  /** The share of the steps until the peak: 0.3 where left out. */
  readonly start?: number
  /** The first learning rate: a 25th of the peak where left out. */
  readonly from?: number
  /** The last learning rate: a 250,000th of the peak where left out. */
  readonly to?: number
}

/**
 * Up to a peak and down again, by half cosine waves. Goes with `oneCycleMomentum`.
 *
 * @throws RangeError on a bad option.
 * @see Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 * Learning Rates", arXiv:1708.07120.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { peak, steps, start = 0.3, from = peak / 25, to = from / 1e4 } = options
  const rise = split('oneCycle', start, steps)
  return join(
    { schedule: cosine({ from, to: peak, steps: rise }), steps: rise },
    { schedule: cosine({ from: peak, to, steps: steps - rise }), steps: steps - rise },
  )
}

/**
 * The momentum, or β₁, that goes with `oneCycle`: from `high`, 0.95 where left out, down to `low`,
 * 0.85, while the learning rate rises, and back.
 *
 * @throws RangeError on a bad option.
 */
export const oneCycleMomentum = (options: {
  readonly steps: number
  readonly start?: number
  readonly high?: number
  readonly low?: number
}): Schedule => {
  const { steps, start = 0.3, high = 0.95, low = 0.85 } = options
  return oneCycle({ peak: low, steps, start, from: high, to: high })
}
