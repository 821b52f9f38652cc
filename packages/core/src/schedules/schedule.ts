import {
  anyFinite,
  checkRange,
  count,
  isPlainObject,
  nonNegative,
  type OptionRange,
  oneOf,
  positive,
  positiveInteger,
} from '../ranges.ts'

/** A change from one value to another. */
interface Ramp {
  readonly from: number
  readonly to: number
  /** The number of steps, after which the value stays at `to`. */
  readonly steps: number
}

/** How far a plateau schedule has come, after the losses that were reported to it. */
export interface PlateauProgress {
  /** The best loss that counted as an improvement: the lowest, or the highest with mode `max`. */
  readonly best: number
  /** The number of reports since then, since the last reduction, or since the end of its cooldown. */
  readonly failures: number
  readonly reductions: number
  /** The number of reports until the end of the cooldown; omitted outside of one. */
  readonly cooldown?: number | undefined
}

/** When a plateau schedule reduces its value: the rule of PyTorch's ReduceLROnPlateau. */
interface Plateau {
  readonly from: number
  readonly factor: number
  readonly patience: number
  readonly threshold: number
  readonly minimum: number
  /** The number of reports after a reduction that do not count as failures; 0 if omitted. */
  readonly cooldown?: number | undefined
  /** Whether the reported figure should fall, as by default, or rise. */
  readonly mode?: 'min' | 'max' | undefined
  /** Omitted before the first report. */
  readonly progress?: PlateauProgress | undefined
}

/** A step, and the value of a piecewise schedule there. */
export type SchedulePoint = readonly [step: number, value: number]

/**
 * How a hyperparameter changes with the step: plain JSON, except for a `lambda`, made by the functions of
 * constructors.ts.
 *
 * The step of a schedule is the number of updates after `startStep`, by default all updates. Before
 * `startStep` it has its first value. A load of a part of a state may make `startStep` negative.
 */
export type Schedule = (
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
  | ({ readonly kind: 'polynomial'; readonly power: number } & Ramp)
  | {
      readonly kind: 'inverseSquareRoot'
      readonly from: number
      readonly peak: number
      readonly warmup: number
    }
  | ({ readonly kind: 'warmRestarts'; readonly growth: number } & Ramp)
  | {
      readonly kind: 'piecewise'
      readonly points: readonly SchedulePoint[]
      /** Whether the value changes along straight lines, rather than at the points alone. */
      readonly linear: boolean
    }
  | {
      readonly kind: 'lambda'
      /** The value at a step, from 0. */
      readonly valueAt: (step: number) => number
    }
  | ({ readonly kind: 'plateau' } & Plateau)
  | { readonly kind: 'join'; readonly segments: readonly ScheduleSegment[] }
) & { readonly startStep?: number | undefined }

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

const wholeNumber: OptionRange = {
  text: 'a whole number',
  includes: (value) => Number.isSafeInteger(value),
}

const optional = ({ text, includes }: OptionRange): OptionRange => ({
  text,
  includes: (value) => value === undefined || includes(value),
})

const progress: OptionRange = {
  text: '{ best, failures, reductions, cooldown }',
  includes: (value) =>
    isPlainObject(value) &&
    anyFinite.includes(value.best) &&
    count.includes(value.failures) &&
    count.includes(value.reductions) &&
    optional(count).includes(value.cooldown),
}

const isPoint = (value: unknown): value is SchedulePoint =>
  Array.isArray(value) &&
  value.length === 2 &&
  count.includes(value[0]) &&
  nonNegative.includes(value[1])

const points: OptionRange = {
  text: 'a list of [step, value] whose steps increase from 0, and whose values are at least 0',
  includes: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (point, i) => isPoint(point) && (i === 0 ? point[0] === 0 : point[0] > value[i - 1][0]),
    ),
}

/** The fields of each kind of schedule. */
const fields: Readonly<Record<Schedule['kind'], Readonly<Record<string, OptionRange>>>> = {
  constant: { value: nonNegative },
  linear: ramp,
  cosine: ramp,
  exponential: { from: nonNegative, factor: positive },
  stepDecay: { from: nonNegative, factor: positive, every: positiveInteger },
  polynomial: { ...ramp, power: positive },
  inverseSquareRoot: { from: nonNegative, peak: nonNegative, warmup: positiveInteger },
  warmRestarts: { ...ramp, growth: positiveInteger },
  piecewise: { points, linear: oneOf(false, true) },
  lambda: {
    valueAt: {
      text: 'a function of the step, which a state dict does not contain',
      includes: (value) => typeof value === 'function',
    },
  },
  plateau: {
    from: nonNegative,
    factor: positive,
    patience: nonNegative,
    threshold: nonNegative,
    minimum: nonNegative,
    cooldown: optional(count),
    mode: optional(oneOf('min', 'max')),
    progress: optional(progress),
  },
  join: {
    segments: {
      text: 'a list of at least one segment',
      includes: (segments) => Array.isArray(segments) && segments.length > 0,
    },
  },
}

const scheduleObject: OptionRange = { text: 'an object with a kind', includes: isPlainObject }

/**
 * Checks a schedule, which may come from a file or from JavaScript.
 *
 * @throws RangeError naming the owner, the field, its range and its value.
 */
export function checkSchedule(owner: string, schedule: unknown): asserts schedule is Schedule {
  checkRange(owner, 'a schedule', schedule, scheduleObject)
  const { kind, ...values } = schedule as Readonly<Record<string, unknown>> // A plain object.
  checkRange(owner, 'the kind of a schedule', kind, {
    text: Object.keys(fields).join(' or '),
    includes: (value) => typeof value === 'string' && Object.hasOwn(fields, value),
  })
  const ranges = { ...fields[kind as Schedule['kind']], startStep: optional(wholeNumber) }
  for (const [field, range] of Object.entries(ranges)) {
    checkRange(owner, field, Object.hasOwn(values, field) ? values[field] : undefined, range)
  }
  const unknown = Object.keys(values).find((field) => !Object.hasOwn(ranges, field))
  if (unknown !== undefined) {
    throw new RangeError(
      `${owner}: a schedule of kind ${kind} has no ${unknown}; it has ${Object.keys(ranges).join(', ')}`,
    )
  }
  if (kind !== 'join') return
  for (const segment of values.segments as readonly unknown[]) {
    checkRange(owner, 'a segment', segment, {
      text: '{ schedule, steps }',
      includes: isPlainObject,
    })
    const { steps, schedule } = segment as Partial<ScheduleSegment> // A plain object.
    checkRange(owner, 'steps', steps, positiveInteger)
    checkSchedule(owner, schedule)
    if (schedule.kind === 'lambda') {
      throw new RangeError(
        `${owner}: a segment cannot be a lambda; compute all segments in one function`,
      )
    }
  }
}

/**
 * The value of a schedule, or of a constant, at a step.
 *
 * @param step - the number of steps taken before: 0 at the first.
 * @param reports - losses that were reported beside the `progress` of the schedule, oldest first; only
 * plateau schedules read them.
 */
export function scheduleValue(
  schedule: Schedule | number,
  step: number,
  reports: readonly LossReport[] = [],
): number {
  if (typeof schedule === 'number') return schedule
  return valueAt(
    reports.reduce((now, report) => afterReport(now, report), schedule),
    Math.max(step - (schedule.startStep ?? 0), 0),
  )
}

/** The value of a schedule so many steps after its start. */
function valueAt(schedule: Schedule, step: number): number {
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
    case 'polynomial':
      return interpolate(schedule, 1 - (1 - Math.min(step / schedule.steps, 1)) ** schedule.power)
    case 'inverseSquareRoot': {
      const { from, peak, warmup } = schedule
      const t = step + 1
      return t < warmup ? from + ((peak - from) * t) / warmup : peak * Math.sqrt(warmup / t)
    }
    case 'piecewise':
      return piecewiseValue(schedule, step)
    case 'lambda':
      return schedule.valueAt(step)
    case 'warmRestarts':
      return interpolate(schedule, easeInOut(cycleFraction(schedule, step)))
    case 'plateau':
      return Math.max(
        schedule.from * schedule.factor ** (schedule.progress?.reductions ?? 0),
        schedule.minimum,
      )
    case 'join': {
      const { index, start } = segmentAt(schedule.segments, step)
      return scheduleValue(schedule.segments[index].schedule, step - start)
    }
  }
}

const interpolate = ({ from, to }: Ramp, fraction: number): number => from + (to - from) * fraction

/** Half a cosine wave, from 0 to 1. */
const easeInOut = (fraction: number): number => (1 - Math.cos(Math.PI * fraction)) / 2

function piecewiseValue(
  { points, linear }: { readonly points: readonly SchedulePoint[]; readonly linear: boolean },
  step: number,
): number {
  const last = points.findLastIndex(([start]) => start <= step)
  const [start, value] = points[last]
  if (!linear || last === points.length - 1) return value
  const [end, to] = points[last + 1]
  return interpolate({ from: value, to, steps: end - start }, (step - start) / (end - start))
}

/**
 * The completed fraction of the current cycle. The first cycle takes `steps` steps, and each further one
 * `growth` times as many as the one before.
 *
 * @see Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
 * arXiv:1608.03983.
 */
function cycleFraction({ steps, growth }: { steps: number; growth: number }, step: number): number {
  if (growth === 1) return (step % steps) / steps
  let length = steps
  let start = 0
  while (step >= start + length) {
    start += length
    length *= growth
  }
  return (step - start) / length
}

/**
 * The segment of a joined schedule at a step, and the step at which it starts. The last segment has no
 * end.
 */
function segmentAt(
  segments: readonly ScheduleSegment[],
  step: number,
): { readonly index: number; readonly start: number } {
  let start = 0
  let index = 0
  for (; index < segments.length - 1; index++) {
    const end = start + segments[index].steps
    if (step < end) break
    start = end
  }
  return { index, start }
}

/**
 * A schedule after one more reported loss: plateau schedules advance their progress. Those that start
 * later do not change, nor do segments of a joined schedule before their first step.
 */
export function afterReport(schedule: Schedule, { step, loss }: LossReport): Schedule {
  const sinceStart = step - (schedule.startStep ?? 0)
  if (sinceStart < 0) return schedule
  if (schedule.kind === 'plateau') return { ...schedule, progress: progressAfter(schedule, loss) }
  if (schedule.kind !== 'join') return schedule
  // A loss reported between two segments is the result of the earlier one.
  const { index, start } = segmentAt(schedule.segments, Math.max(sinceStart - 1, 0))
  const segment = schedule.segments[index]
  const changed = afterReport(segment.schedule, { step: sinceStart - start, loss })
  if (changed === segment.schedule) return schedule
  const segments = schedule.segments.with(index, { ...segment, schedule: changed })
  return { ...schedule, segments }
}

/** A schedule before the first report, including the segments of a joined one. */
export function withoutProgress(schedule: Schedule): Schedule {
  if (schedule.kind === 'plateau') {
    const { progress: _, ...rest } = schedule
    return rest
  }
  if (schedule.kind !== 'join') return schedule
  const segments = schedule.segments.map((segment) => {
    return { ...segment, schedule: withoutProgress(segment.schedule) }
  })
  return { ...schedule, segments }
}

/**
 * The progress of a plateau after one more loss: a reduction whenever more than `patience` reports in a
 * row did not improve the best loss by the threshold. Reports of a cooldown are no failures, but the best
 * loss is found there, too.
 */
function progressAfter(
  { patience, threshold, cooldown: length = 0, mode = 'min', progress }: Plateau,
  loss: number,
): PlateauProgress {
  if (!progress) return { best: loss, failures: 0, reductions: 0 }
  const { reductions, cooldown = 0 } = progress
  const gain = mode === 'min' ? progress.best - loss : loss - progress.best
  const improves = gain > threshold * Math.abs(progress.best)
  const best = improves ? loss : progress.best
  const failures = improves || cooldown > 0 ? 0 : progress.failures + 1
  const withCooldown = (left: number): { readonly cooldown?: number } =>
    left > 0 ? { cooldown: left } : {}
  return failures > patience
    ? { best, failures: 0, reductions: reductions + 1, ...withCooldown(length) }
    : { best, failures, reductions, ...withCooldown(cooldown - 1) }
}
