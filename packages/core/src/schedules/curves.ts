import { count, nonNegative, positive, type Range } from '../ranges.ts'
import type { Piece, Schedule } from './schedule.ts'

const check = (kind: string, ranges: Readonly<Record<string, readonly [number, Range]>>): void => {
  for (const [option, [value, range]] of Object.entries(ranges)) {
    if (!range.holds(value)) {
      throw new RangeError(`${kind}: ${option} must be ${range.text}, but is ${value}`)
    }
  }
}

/** From one value to another. */
export interface RampOptions {
  /** Where it starts: at least 0. */
  readonly from: number
  /** Where it ends: at least 0; 0 where left out. */
  readonly to?: number
  /** After how many steps: at least 1. */
  readonly steps: number
}

const ramp = (
  kind: string,
  { from, to = 0, steps }: RampOptions,
): { readonly from: number; readonly to: number; readonly steps: number } => {
  check(kind, { from: [from, nonNegative], to: [to, nonNegative], steps: [steps, count] })
  return { from, to, steps }
}

/** Always the same value. @throws RangeError if it is negative or not finite. */
export function constant(value: number): Schedule {
  check('constant', { value: [value, nonNegative] })
  return { kind: 'constant', value }
}

/** A straight line, and `to` from then on: a warm-up or a decay. @throws RangeError on a bad option. */
export const linear = (options: RampOptions): Schedule => ({
  kind: 'linear',
  ...ramp('linear', options),
})

/** Half a cosine wave, and `to` from then on. @throws RangeError on a bad option. */
export const cosine = (options: RampOptions): Schedule => ({
  kind: 'cosine',
  ...ramp('cosine', options),
})

/** from · factorˢᵗᵉᵖ. @throws RangeError on a bad option. */
export function exponential({ from, factor }: { from: number; factor: number }): Schedule {
  check('exponential', { from: [from, nonNegative], factor: [factor, positive] })
  return { kind: 'exponential', from, factor }
}

/** Multiplied by `factor` after every so many steps. @throws RangeError on a bad option. */
export function stepDecay(options: { from: number; factor: number; every: number }): Schedule {
  const { from, factor, every } = options
  check('step', { from: [from, nonNegative], factor: [factor, positive], every: [every, count] })
  return { kind: 'step', from, factor, every }
}

/**
 * Cosine waves that start again, each `growth` times as long as the one before it, 1 where left out.
 *
 * @throws RangeError on a bad option.
 * @see Loshchilov and Hutter, arXiv:1608.03983.
 */
export function warmRestarts(options: RampOptions & { readonly growth?: number }): Schedule {
  const { growth = 1 } = options
  check('warmRestarts', { growth: [growth, count] })
  return { kind: 'warmRestarts', ...ramp('warmRestarts', options), growth }
}

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
export function plateau(options: PlateauOptions): Schedule {
  const { from, factor = 0.1, patience = 10, threshold = 1e-4, minimum = 0 } = options
  check('plateau', {
    from: [from, nonNegative],
    factor: [factor, positive],
    patience: [patience, nonNegative],
    threshold: [threshold, nonNegative],
    minimum: [minimum, nonNegative],
  })
  return { kind: 'plateau', from, factor, patience, threshold, minimum }
}

/**
 * One schedule after another; the last goes on for ever.
 *
 * @throws RangeError if there is none, or one takes less than a step.
 */
export function join(...pieces: readonly Piece[]): Schedule {
  check('join', { 'the number of pieces': [pieces.length, count] })
  for (const { steps } of pieces) check('join', { steps: [steps, count] })
  return { kind: 'join', pieces }
}
