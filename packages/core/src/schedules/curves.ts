import { checkSchedule } from './check.ts'
import type { Piece, Schedule } from './schedule.ts'

/** From one value to another. */
export interface RampOptions {
  /** Where it starts: at least 0. */
  readonly from: number
  /** Where it ends: at least 0; 0 where left out. */
  readonly to?: number
  /** After how many steps: at least 1. */
  readonly steps: number
}

/** A schedule that is in order. */
const checked = (schedule: Schedule): Schedule => {
  checkSchedule(schedule.kind, schedule)
  return schedule
}

/** Always the same value. @throws RangeError if it is negative or not finite. */
export const constant = (value: number): Schedule => checked({ kind: 'constant', value })

/** A straight line, and `to` from then on: a warm-up or a decay. @throws RangeError on a bad option. */
export const linear = ({ from, to = 0, steps }: RampOptions): Schedule =>
  checked({ kind: 'linear', from, to, steps })

/** Half a cosine wave, and `to` from then on. @throws RangeError on a bad option. */
export const cosine = ({ from, to = 0, steps }: RampOptions): Schedule =>
  checked({ kind: 'cosine', from, to, steps })

/** from · factorˢᵗᵉᵖ. @throws RangeError on a bad option. */
export const exponential = (options: {
  readonly from: number
  readonly factor: number
}): Schedule => checked({ kind: 'exponential', ...options })

/** Multiplied by `factor` after every so many steps. @throws RangeError on a bad option. */
export const stepDecay = (options: {
  readonly from: number
  readonly factor: number
  readonly every: number
}): Schedule => checked({ kind: 'stepDecay', ...options })

/**
 * Cosine waves that start again, each `growth` times as long as the one before it, 1 where left out.
 *
 * @throws RangeError on a bad option.
 * @see Loshchilov and Hutter, arXiv:1608.03983.
 */
export const warmRestarts = ({
  from,
  to = 0,
  steps,
  growth = 1,
}: RampOptions & { readonly growth?: number }): Schedule =>
  checked({ kind: 'warmRestarts', from, to, steps, growth })

/** When a plateau is reached, and what follows. */
export interface PlateauOptions {
  /** The value to start with: at least 0. */
  readonly from: number
  /** What it is multiplied by at each plateau: above 0; 0.1 where left out. */
  readonly factor?: number
  /** How many reports in a row may fail to better the loss: at least 0; 10 where left out. */
  readonly patience?: number
  /** Which share of the best loss it takes to be better: at least 0; 1e-4 where left out. */
  readonly threshold?: number
  /** The value never falls below this: at least 0; 0 where left out. */
  readonly minimum?: number
}

/**
 * Multiplied by `factor` whenever the losses that are reported to the optimizer stop falling.
 *
 * @throws RangeError on a bad option.
 */
export const plateau = ({
  from,
  factor = 0.1,
  patience = 10,
  threshold = 1e-4,
  minimum = 0,
}: PlateauOptions): Schedule =>
  checked({ kind: 'plateau', from, factor, patience, threshold, minimum })

/**
 * One schedule after another; the last goes on for ever.
 *
 * @throws RangeError if there is none, or one takes less than a step.
 */
export const join = (...pieces: readonly Piece[]): Schedule => checked({ kind: 'join', pieces })
