import { checkRange, count, fraction } from '../ranges.ts'
import {
  checkSchedule,
  type Schedule,
  type SchedulePoint,
  type ScheduleSegment,
} from './schedule.ts'

/** A change from one value to another. */
export interface RampOptions {
  /** The first value: at least 0. */
  readonly from: number
  /** The last value: at least 0; default 0. */
  readonly to?: number | undefined
  /** The number of steps until `to`: at least 1. */
  readonly steps: number
}

/** Unknown options are passed on to the schedule, where the check refuses them by name. */
const checked = (schedule: Schedule): Schedule => {
  checkSchedule(schedule.kind, schedule)
  return schedule
}

function refuseUnknown(kind: string, unknown: object): void {
  const [option] = Object.keys(unknown)
  if (option !== undefined) throw new RangeError(`${kind}: has no option ${option}`)
}

/** The same value at every step. @throws RangeError if it is negative or not finite. */
export const constant = (value: number): Schedule => checked({ kind: 'constant', value })

/** A straight line to `to`, such as a warm-up or a decay. @throws RangeError if an option is out of range. */
export const linear = ({ from, to = 0, steps, ...unknown }: RampOptions): Schedule =>
  checked({ kind: 'linear', from, to, steps, ...unknown })

/** Half a cosine wave to `to`. @throws RangeError if an option is out of range. */
export const cosine = ({ from, to = 0, steps, ...unknown }: RampOptions): Schedule =>
  checked({ kind: 'cosine', from, to, steps, ...unknown })

/**
 * to + (from − to)(1 − step / steps)ᵖᵒʷᵉʳ.
 *
 * @throws RangeError if an option is out of range.
 * @see torch.optim.lr_scheduler.PolynomialLR, optax.polynomial_schedule.
 */
export const polynomial = ({
  from,
  to = 0,
  steps,
  power,
  ...unknown
}: RampOptions & {
  /** The exponent: above 0. With 1 it is `linear`. */
  readonly power: number
}): Schedule => checked({ kind: 'polynomial', from, to, steps, power, ...unknown })

/** The options of `inverseSquareRoot`. */
export interface InverseSquareRootOptions {
  /** The largest value, at the last step of the warm-up: at least 0. */
  readonly peak: number
  /** w, the number of steps of the warm-up: at least 1. */
  readonly warmup: number
  /** The value from which the warm-up is a straight line: at least 0; default 0. */
  readonly from?: number | undefined
}

/**
 * A warm-up, and a fall with the square root of the step t, counted from 1: from + (peak − from) · t / w
 * while t < w, then peak · √(w / t).
 *
 * The Transformer's schedule of a model of width d has the peak 1 / √(d · w). With `from` equal to `peak`,
 * the value is constant at first: T5 has the peak 0.01 and w = 10⁴.
 *
 * @throws RangeError if an option is out of range.
 * @see Vaswani et al., "Attention Is All You Need", arXiv:1706.03762, section 5.3; Raffel et al.,
 * arXiv:1910.10683, section 3.1.2.
 */
export const inverseSquareRoot = ({
  peak,
  warmup,
  from = 0,
  ...unknown
}: InverseSquareRootOptions): Schedule =>
  checked({ kind: 'inverseSquareRoot', from, peak, warmup, ...unknown })

/**
 * Values from a table: each from its step on, `piecewise([[0, 0.1], [30, 0.01]])`, or with `linear: true`
 * along a straight line to the next. After the last step the value stays.
 *
 * @param points - at least one. The first step is 0.
 * @throws RangeError unless steps increase and values are at least 0.
 * @see torch.optim.lr_scheduler.MultiStepLR, optax.piecewise_interpolate_schedule.
 */
export const piecewise = (
  points: readonly SchedulePoint[],
  { linear = false, ...unknown }: { readonly linear?: boolean | undefined } = {},
): Schedule => checked({ kind: 'piecewise', points, linear, ...unknown })

/**
 * A function of the step, counted from 0: `lambda((step) => 0.1 / (1 + step))`. It must return the same value
 * whenever it is called with the same step, on every rank.
 *
 * A state dict does not contain the function. It can be loaded by an optimizer that has a `lambda` for the
 * same option of the same parameter, and keeps that function.
 *
 * @throws RangeError if it is no function.
 * @see torch.optim.lr_scheduler.LambdaLR.
 */
export const lambda = (valueAt: (step: number) => number): Schedule =>
  checked({ kind: 'lambda', valueAt })

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
  ...unknown
}: RampOptions & { readonly growth?: number | undefined }): Schedule =>
  checked({ kind: 'warmRestarts', from, to, steps, growth, ...unknown })

/** The options of `plateau`, named as in PyTorch's ReduceLROnPlateau. */
export interface PlateauOptions {
  /** The first value: at least 0. */
  readonly from: number
  /** The factor of each reduction: above 0; default 0.1. */
  readonly factor?: number | undefined
  /** How many reports in a row may not improve the best loss: at least 0; default 10. */
  readonly patience?: number | undefined
  /** The improvement that counts, relative to the best loss: at least 0; default 1e-4. */
  readonly threshold?: number | undefined
  /** The lower bound of the value: at least 0; default 0. */
  readonly minimum?: number | undefined
  /** The number of reports after a reduction that do not count as failures: at least 0; default 0. */
  readonly cooldown?: number | undefined
  /** Whether the reported figure should fall (`min`, the default), as a loss, or rise (`max`), as an accuracy. */
  readonly mode?: 'min' | 'max' | undefined
}

/**
 * Multiplied by `factor` whenever the losses reported to the optimizer stop falling, or with mode `max` the
 * figures stop rising.
 *
 * @throws RangeError if an option is out of range.
 */
export const plateau = ({
  from,
  factor = 0.1,
  patience = 10,
  threshold = 1e-4,
  minimum = 0,
  cooldown = 0,
  mode = 'min',
  ...unknown
}: PlateauOptions): Schedule =>
  checked({
    ...{ kind: 'plateau', from, factor, patience, threshold, minimum },
    ...(cooldown !== 0 && { cooldown }),
    ...(mode !== 'min' && { mode }),
    ...unknown,
  })

/**
 * One schedule after another; the last one has no end.
 *
 * @throws RangeError if there is no segment, or one of less than a step.
 */
export const join = (...segments: readonly ScheduleSegment[]): Schedule =>
  checked({ kind: 'join', segments })

/**
 * A schedule whose steps are counted from an update, instead of the one at which it becomes an option:
 * `optimizer.set({ learningRate: startAt(0, schedule) })` counts all updates of the optimizer.
 *
 * @throws RangeError if the step is no whole number, at least 0.
 */
export const startAt = (step: number, schedule: Schedule): Schedule => {
  checkSchedule('startAt', schedule)
  checkRange(schedule.kind, 'startStep', step, count)
  return checked({ ...schedule, startStep: step })
}

/**
 * Constant for a fraction `start` of all steps, default 0.72, then half a cosine wave.
 *
 * @throws RangeError if an option is out of range.
 */
export function flatCosine(
  options: RampOptions & { readonly start?: number | undefined },
): Schedule {
  const { from, to = 0, steps, start = 0.72, ...unknown } = options
  refuseUnknown('flatCosine', unknown)
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
  readonly start?: number | undefined
  /** The first learning rate; default peak / 25. */
  readonly from?: number | undefined
  /** The last learning rate; default from / 10⁴. */
  readonly to?: number | undefined
}

/**
 * Half a cosine wave up to a peak, and another one down. Use it together with `oneCycleMomentum`.
 *
 * @throws RangeError if an option is out of range.
 * @see Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
 * Learning Rates", arXiv:1708.07120.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  const { peak, steps, start = 0.3, from = peak / 25, to = from / 1e4, ...unknown } = options
  refuseUnknown('oneCycle', unknown)
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
  readonly start?: number | undefined
  readonly high?: number | undefined
  readonly low?: number | undefined
}): Schedule => {
  const { steps, start = 0.3, high = 0.95, low = 0.85, ...unknown } = options
  refuseUnknown('oneCycleMomentum', unknown)
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
