import { checkRange, nonNegative, type OptionRange, positive, positiveInteger } from '../ranges.ts'

/** A change from one value to another. */
interface Ramp {
  readonly from: number
  readonly to: number
  /** The number of steps, after which the value stays at `to`. */
  readonly steps: number
}

/** How a hyperparameter changes with the step: plain JSON, made by the functions of constructors.ts. */
export type Schedule =
  | { readonly kind: 'constant'; readonly value: number }
  | ({ readonly kind: 'linear' } & Ramp)
  | ({ readonly kind: 'cosine' } & Ramp)
  | { readonly kind: 'exponential'; readonly from: number; readonly factor: number }
  | {
      readonly kind: 'stepDecay'
      readonly from: number
      readonly factor: number
      readonly every: number
    }
  | ({ readonly kind: 'warmRestarts'; readonly growth: number } & Ramp)
  | {
      readonly kind: 'plateau'
      readonly from: number
      readonly factor: number
      readonly patience: number
      readonly threshold: number
      readonly minimum: number
    }
  | { readonly kind: 'join'; readonly segments: readonly ScheduleSegment[] }

/** A schedule and the number of steps for which a joined schedule follows it. */
export interface ScheduleSegment {
  readonly schedule: Schedule
  readonly steps: number
}

/** A loss and the number of updates made before it was reported. Plateau schedules depend on these. */
export interface LossReport {
  readonly step: number
  readonly loss: number
}

const ramp = { from: nonNegative, to: nonNegative, steps: positiveInteger }

/** The fields of each kind of schedule. */
const fields: Readonly<Record<Schedule['kind'], Readonly<Record<string, OptionRange>>>> = {
  constant: { value: nonNegative },
  linear: ramp,
  cosine: ramp,
  exponential: { from: nonNegative, factor: positive },
  stepDecay: { from: nonNegative, factor: positive, every: positiveInteger },
  warmRestarts: { ...ramp, growth: positiveInteger },
  plateau: {
    from: nonNegative,
    factor: positive,
    patience: nonNegative,
    threshold: nonNegative,
    minimum: nonNegative,
  },
  join: {
    segments: {
      text: 'a list of at least one segment',
      includes: (segments) => Array.isArray(segments) && segments.length > 0,
    },
  },
}

/**
 * Checks a schedule, which may come from a file.
 *
 * @throws RangeError naming the owner, the field, its range and its value.
 */
export function checkSchedule(owner: string, schedule: Schedule): void {
  checkRange(owner, 'the kind of a schedule', schedule.kind, {
    text: Object.keys(fields).join(' or '),
    includes: (kind) => typeof kind === 'string' && Object.hasOwn(fields, kind),
  })
  const values = new Map<string, unknown>(Object.entries(schedule))
  for (const [field, range] of Object.entries(fields[schedule.kind])) {
    checkRange(owner, field, values.get(field), range)
  }
  if (schedule.kind !== 'join') return
  for (const segment of schedule.segments) {
    checkRange(owner, 'steps', segment.steps, positiveInteger)
    checkSchedule(owner, segment.schedule)
  }
}

/**
 * The value of a schedule, or of a constant, at a step.
 *
 * @param step - the number of steps taken before: 0 at the first.
 * @param reports - the losses reported so far, oldest first; only plateau schedules read them.
 */
export function scheduleValue(
  schedule: Schedule | number,
  step: number,
  reports: readonly LossReport[] = [],
): number {
  if (typeof schedule === 'number') return schedule
  switch (schedule.kind) {
    case 'constant':
      return schedule.value
    case 'linear':
      return interpolate(schedule, Math.min(step / schedule.steps, 1))
    case 'cosine':
      return interpolate(schedule, easeInOut(Math.min(step / schedule.steps, 1)))
    case 'exponential':
      return schedule.from * schedule.factor ** step
    case 'stepDecay':
      return schedule.from * schedule.factor ** Math.floor(step / schedule.every)
    case 'warmRestarts':
      return interpolate(schedule, easeInOut(cycleFraction(schedule, step)))
    case 'plateau':
      return Math.max(
        schedule.from * schedule.factor ** reductions(schedule, reports),
        schedule.minimum,
      )
    case 'join':
      return joinedValue(schedule.segments, step, reports)
  }
}

const interpolate = ({ from, to }: Ramp, fraction: number): number => from + (to - from) * fraction

/** Half a cosine wave, from 0 to 1. */
const easeInOut = (fraction: number): number => (1 - Math.cos(Math.PI * fraction)) / 2

/**
 * The completed fraction of the current cycle. The first cycle takes `steps` steps, and each further one
 * `growth` times as many as the one before.
 *
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
 * arXiv:1608.03983.
 */
function cycleFraction({ steps, growth }: { steps: number; growth: number }, step: number): number {
  let length = steps
  let start = 0
  while (step >= start + length) {
    start += length
    length *= growth
  }
  return (step - start) / length
}

/**
 * The number of reductions: one whenever more than `patience` reports in a row did not improve the best
 * loss by the threshold.
 */
function reductions(
  { patience, threshold }: { patience: number; threshold: number },
  reports: readonly LossReport[],
): number {
  let best = Number.POSITIVE_INFINITY
  let failures = 0
  let count = 0
  for (const { loss } of reports) {
    if (loss < best - threshold * Math.abs(Number.isFinite(best) ? best : 0)) {
      best = loss
      failures = 0
    } else if (++failures > patience) {
      count++
      failures = 0
    }
  }
  return count
}

/** Each segment counts steps and reports from its own start; the last one has no end. */
function joinedValue(
  segments: readonly ScheduleSegment[],
  step: number,
  reports: readonly LossReport[],
): number {
  const [{ schedule, steps }, ...rest] = segments
  if (step < steps || rest.length === 0) return scheduleValue(schedule, step, reports)
  const later = reports
    .filter((report) => report.step > steps)
    .map((report) => ({ ...report, step: report.step - steps }))
  return joinedValue(rest, step - steps, later)
}
