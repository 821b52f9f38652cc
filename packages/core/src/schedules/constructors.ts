import { checkRange, fraction } from '../ranges.ts'
import { checkSchedule, type Schedule, type ScheduleSegment } from './schedule.ts'

/** A change from one value to another. */
export interface RampOptions {
  /** The first value: at least 0. */
  readonly from: number
  /** The last value: at least 0; default 0. */
  readonly to?: number
  /** The number of steps until `to`: at least 1. */
  readonly steps: number
}

const checked = (schedule: Schedule): Schedule => {
  checkSchedule(schedule.kind, schedule)
  return schedule
}

/** The same value at every step. @throws RangeError if it is negative or not finite. */
export const constant = (value: number): Schedule => checked({ kind: 'constant', value })

/** A straight line to `to`, such as a warm-up or a decay. @throws RangeError if an option is out of range. */
export const linear = ({ from, to = 0, steps }: RampOptions): Schedule =>
  checked({ kind: 'linear', from, to, steps })

/** Half a cosine wave to `to`. @throws RangeError if an option is out of range. */
export const cosine = ({ from, to = 0, steps }: RampOptions): Schedule =>
  checked({ kind: 'cosine', from, to, steps })

/** from · factorˢᵗᵉᵖ. @throws RangeError if an option is out of range. */
export const exponential = (options: {
  readonly from: number
  readonly factor: number
}): Schedule => checked({ kind: 'exponential', ...options })

/** Multiplied by `factor` after each `every` steps. @throws RangeError if an option is out of range. */
export const stepDecay = (options: {
  readonly from: number
  readonly factor: number
  readonly every: number
}): Schedule => checked({ kind: 'stepDecay', ...options })

/**
 * Half cosine waves that restart at `from`, each `growth` times as long as the one before; default 1.
 *
 * @throws RangeError if an option is out of range.
 * @see Loshchilov and Hutter, arXiv:1608.03983.
 */
export const warmRestarts = ({
  from,
  to = 0,
  steps,
  growth = 1,
}: RampOptions & { readonly growth?: number }): Schedule =>
  checked({ kind: 'warmRestarts', from, to, steps, growth })

/** The options of `plateau`, named as in PyTorch's ReduceLROnPlateau. */
export interface PlateauOptions {
  /** The first value: at least 0. */
  readonly from: number
  /** The factor of each reduction: above 0; default 0.1. */
  readonly factor?: number
  /** How many reports in a row may not improve the best loss: at least 0; default 10. */
  readonly patience?: number
  /** The improvement that counts, relative to the best loss: at least 0; default 1e-4. */
  readonly threshold?: number
  /** The lower bound of the value: at least 0; default 0. */
  readonly minimum?: number
}

/**
 * Multiplied by `factor` whenever the losses reported to the optimizer stop falling.
 *
 * @throws RangeError if an option is out of range.
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
 * One schedule after another; the last one has no end.
 *
 * @throws RangeError if there is no segment, or one of less than a step.
 */
export const join = (...segments: readonly ScheduleSegment[]): Schedule =>
  checked({ kind: 'join', segments })

/**
 * Constant for a fraction `start` of all steps, default 0.72, then half a cosine wave.
 *
 * @throws RangeError if an option is out of range.
 */
export function flatCosine(options: RampOptions & { readonly start?: number }): Schedule {
  const { from, to = 0, steps, start = 0.72 } = options
  const flat = splitStep('flatCosine', start, steps)
  return join(
    { schedule: constant(from), steps: flat },
    { schedule: cosine({ from, to, steps: steps - flat }), steps: steps - flat },
  )
}

/** The options of `oneCycle`. */
export interface OneCycleOptions {
  /** The largest learning rate. */
  readonly peak: number
  readonly steps: number
  /** The fraction of the steps before the peak; default 0.3. */
  readonly start?: number
  /** The first learning rate; default peak / 25. */
  readonly from?: number
  /** The last learning rate; default from / 10⁴. */
  readonly to?: number
}

/**
 * Half a cosine wave up to a peak, and another one down. Use it together with `oneCycleMomentum`.
 *
 * @throws RangeError if an option is out of range.
 * @see Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 * Learning Rates", arXiv:1708.07120.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { peak, steps, start = 0.3, from = peak / 25, to = from / 1e4 } = options
  const rise = splitStep('oneCycle', start, steps)
  return join(
    { schedule: cosine({ from, to: peak, steps: rise }), steps: rise },
    { schedule: cosine({ from: peak, to, steps: steps - rise }), steps: steps - rise },
  )
}

/**
 * The momentum or β₁ for `oneCycle`: from `high`, default 0.95, down to `low`, default 0.85, while the
 * learning rate rises, and back.
 *
 * @throws RangeError if an option is out of range.
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

/** The step nearest to a fraction of all steps that leaves at least one step on either side. */
function splitStep(kind: string, start: number, steps: number): number {
  checkRange(kind, 'start', start, fraction)
  checkRange(kind, 'steps', steps, {
    text: 'a whole number, at least 2',
    includes: (value) => Number.isSafeInteger(value) && Number(value) >= 2,
  })
  return Math.min(Math.max(Math.round(start * steps), 1), steps - 1)
}
