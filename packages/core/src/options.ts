import { checkOptions, checkRange, describe, isPlainObject, rangeOf } from './ranges.ts'
import {
  type Hyperparameters,
  type PartialOptions,
  type RuleOptions,
  schedulable,
  type UpdateRule,
} from './rule.ts'
import {
  afterReport,
  checkSchedule,
  type LossReport,
  type Schedule,
  scheduleValue,
  withoutProgress,
} from './schedules/schedule.ts'
import { transformNames } from './transforms/index.ts'

/**
 * Checks options of a rule, and returns a copy of those that are defined.
 *
 * @throws TypeError if they are no plain object.
 * @throws RangeError naming the first option that is unknown, out of range, or follows a schedule but
 * cannot.
 */
export function checkedOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  options: PartialOptions<H>,
): Partial<RuleOptions<H>> {
  checkOptions(rule.name, options)
  const entries = Object.entries(options)
  for (const [option, value] of entries) checkOption(rule, option, value)
  // A subset of the options, of numbers, strings, booleans and schedules.
  return clone(Object.fromEntries(entries.filter(([, value]) => value !== undefined))) as Partial<
    RuleOptions<H>
  >
}

function checkOption<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  option: string,
  value: unknown,
): void {
  const refuse = (reason: string): never => {
    throw new RangeError(`${rule.name}: ${reason}`)
  }
  const known = Object.keys(rule.defaults)
  if (!known.includes(option)) {
    if (transformNames.includes(option) || option === 'groups') {
      refuse(`${option} is an option of the constructor alone, for all parameters together`)
    }
    if (option === 'rule') refuse('rule is an option of the groups of the constructor alone')
    refuse(
      `has no option ${option}; it has ${known.join(', ')}, and for all parameters together ${[...transformNames, 'groups'].join(', ')}`,
    )
  }
  if (value === undefined) return
  if (!isPlainObject(value)) {
    const range = rangeOf(rule, option)
    const orSchedule = typeof value !== 'number' && schedulable.has(option)
    const text = orSchedule ? `${range.text}, or a schedule` : range.text
    if (!range.includes(value)) refuse(`${option} must be ${text}, but is ${describe(value)}`)
    return
  }
  if (!schedulable.has(option)) {
    const can = [...schedulable].filter((name) => Object.hasOwn(rule.defaults, name))
    refuse(`${option} cannot follow a schedule; ${can.join(', ')} can`)
  }
  checkSchedule(`${rule.name}: ${option}`, value)
}

/** A copy of checked options: numbers, strings, booleans and schedules. Functions of schedules stay the same. */
export const clone = <O>(options: O): O => {
  if (Array.isArray(options)) return options.map(clone) as O // Each element of the same type.
  if (!isPlainObject(options)) return options
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([key, value]) => [key, clone(value)])) as O
}

/** Options as JSON, to compare them between ranks: a function of the step as its value after so many updates. */
export const optionsText = (options: object, updates: number): string =>
  JSON.stringify(options, (_, value) => (typeof value === 'function' ? value(updates) : value))

/**
 * Saved options, with the functions of an optimizer's own options in place of those that were saved without.
 *
 * @returns the first option whose function is missing, if the optimizer has none either.
 */
export function withOwnFunctions(
  saved: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): { readonly options: Readonly<Record<string, unknown>>; readonly missing?: string } {
  const options = { ...saved }
  for (const [option, value] of Object.entries(saved)) {
    if (!isSchedule(value) || value.kind !== 'lambda' || value.valueAt !== undefined) continue
    const schedule = own[option]
    if (!isSchedule(schedule) || schedule.kind !== 'lambda') return { options, missing: option }
    options[option] = { ...value, valueAt: schedule.valueAt }
  }
  return { options }
}

/**
 * A new object of the rule's defaults, overridden by each of some checked changes in turn.
 *
 * @throws RangeError if options conflict, or a hyperparameter is out of range after so many updates.
 */
export function completeOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  changes: readonly Partial<RuleOptions<H>>[],
  updates = 0,
): RuleOptions<H> {
  // Hyperparameters are options without a schedule.
  const options: RuleOptions<H> = Object.assign({}, rule.defaults, ...changes)
  const conflict = rule.conflict?.(options)
  if (conflict) throw new RangeError(`${rule.name}: ${conflict}`)
  hyperparametersAt(rule, options, updates)
  return options
}

/**
 * The hyperparameters of a step: options with schedules replaced by their values.
 *
 * @param step - the number of steps taken before: 0 at the first.
 * @throws RangeError naming the first hyperparameter that is out of range.
 */
export function hyperparametersAt<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  options: RuleOptions<H>,
  step: number,
): H {
  const entries = Object.entries(options).map(([option, value]) => [
    option,
    isSchedule(value) ? scheduleValue(value, step) : value,
  ])
  for (const [option, value] of entries) {
    checkRange(rule.name, option, value, rangeOf(rule, option))
  }
  return Object.fromEntries(entries)
}

/** Whether any option follows a schedule, so that the hyperparameters differ from step to step. */
export const hasSchedule = (options: object): boolean => Object.values(options).some(isSchedule)

/** Options whose schedules start at a step, except those that already have a `startStep`. */
export const startSchedules = <O extends object>(options: O, step: number): O =>
  step === 0
    ? options
    : mapSchedules(options, (schedule) => ({ ...schedule, startStep: schedule.startStep ?? step }))

/** Options after one more reported loss: the same object if no schedule depends on it. */
export const optionsAfterReport = <O extends object>(options: O, report: LossReport): O =>
  mapSchedules(options, (schedule) => afterReport(schedule, report))

const shiftSchedule = (schedule: Schedule, steps: number): Schedule =>
  steps === 0 ? schedule : { ...schedule, startStep: (schedule.startStep ?? 0) + steps }

/** Options whose schedules start later by a number of steps, or earlier if it is negative. */
export const shiftSchedules = <O extends object>(options: O, steps: number): O =>
  mapSchedules(options, (schedule) => shiftSchedule(schedule, steps))

/** Schedules are equal if they differ in nothing but the progress of a plateau. */
const scheduleKey = (schedule: Schedule): string =>
  JSON.stringify(schedule, (key, value) => {
    if (key === 'progress') return undefined
    return typeof value === 'function' ? functionKey(value) : value
  })

const functionKeys = new WeakMap<object, number>()
let functionCount = 0

/** A number for each function, whose text does not tell what it closes over. */
function functionKey(value: object): number {
  const key = functionKeys.get(value) ?? functionCount++
  functionKeys.set(value, key)
  return key
}

const schedulesByKey = (options: readonly object[]): ReadonlyMap<string, Schedule> => {
  const schedules = options.flatMap((each) => Object.values(each).filter(isSchedule))
  return new Map(schedules.map((schedule) => [scheduleKey(schedule), schedule]))
}

/**
 * Options whose plateau schedules take the progress of equal schedules in others, such as loaded options.
 * The schedules that equal none of the others are shifted.
 */
export function continueSchedules<O extends object>(
  options: O,
  others: readonly object[],
  steps: number,
): O {
  const byKey = schedulesByKey(others)
  return mapSchedules(
    options,
    (schedule) => byKey.get(scheduleKey(schedule)) ?? shiftSchedule(schedule, steps),
  )
}

/**
 * The schedules of options, shifted, that equal a schedule of others before but differ from it after the
 * shift: those that `continueSchedules` does not make.
 */
export function separateSchedules<O extends object>(
  options: O,
  others: readonly object[],
  steps: number,
): Partial<O> {
  const byKey = schedulesByKey(others)
  const entries = Object.entries(options).flatMap(([option, value]) => {
    const other = isSchedule(value) ? byKey.get(scheduleKey(value)) : undefined
    if (!other) return []
    const shifted = shiftSchedule(value, steps)
    return JSON.stringify(shifted) === JSON.stringify(other) ? [] : [[option, shifted] as const]
  })
  return Object.fromEntries(entries) as Partial<O> // Some of the options.
}

/**
 * Options, and those of their groups, whose schedules start at the first update, without progress. A
 * `startStep` that the initial options have stays, because it is a delay that the user chose; `set` adds
 * the others.
 */
export function restartSchedules<O extends { readonly groups?: readonly object[] | undefined }>(
  { groups = [], ...common }: O,
  { groups: initialGroups = [], ...initial }: O,
): O {
  const schedules = [initial, ...initialGroups].flatMap(Object.values).filter(isSchedule)
  const chosen = new Set(schedules.map(({ startStep }) => startStep))
  const restart = (options: object): object =>
    mapSchedules(options, (schedule) => {
      const { startStep, ...rest } = withoutProgress(schedule)
      return chosen.has(startStep) ? { ...rest, startStep } : rest
    })
  // The options of the same rule, with other schedules.
  return { ...restart(common), groups: groups.map(restart) } as unknown as O
}

/** Options with each schedule replaced by another: the same object if every schedule stays the same. */
function mapSchedules<O extends object>(options: O, replace: (schedule: Schedule) => Schedule): O {
  const changed = Object.entries(options).flatMap(([option, value]) => {
    if (!isSchedule(value)) return []
    const schedule = replace(value)
    return schedule === value ? [] : [[option, schedule] as const]
  })
  return changed.length === 0 ? options : { ...options, ...Object.fromEntries(changed) }
}

/** Whether a checked option is a schedule. Transforms are plain objects, too, but have no kind. */
const isSchedule = (value: unknown): value is Schedule => isPlainObject(value) && 'kind' in value
