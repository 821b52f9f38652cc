import { mustHold, rangeOf } from './ranges.ts'
import { type CommonOptions, type Settings, schedulable, type UpdateRule } from './rule.ts'
import { checkSchedule } from './schedules/check.ts'
import { type Report, type Schedule, scheduleValue } from './schedules/schedule.ts'

/**
 * The rule's defaults with some settings changed, in an object of its own.
 *
 * @throws RangeError naming the first option that is unknown, or is not what a schedule can be of, or
 * does not go with another.
 */
export function settingsOf<O extends CommonOptions>(
  rule: UpdateRule<O>,
  ...changes: readonly Partial<Settings<O>>[]
): Settings<O> {
  const given = changes.flatMap((some) => Object.entries(some))
  for (const [option, value] of given) {
    if (!Object.hasOwn(rule.defaults, option)) {
      const known = Object.keys(rule.defaults).join(', ')
      throw new RangeError(`${rule.name}: has no option ${option}; it has ${known}`)
    }
    if (!isSchedule(value)) continue
    if (!schedulable.has(option)) {
      const can = [...schedulable].filter((name) => Object.hasOwn(rule.defaults, name))
      throw new RangeError(`${rule.name}: ${option} can follow no schedule; ${can.join(', ')} can`)
    }
    checkSchedule(`${rule.name}: ${option}`, value)
  }
  const defined = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  const settings: Settings<O> = { ...rule.defaults, ...JSON.parse(JSON.stringify(defined, kept)) }
  const conflict = rule.conflict?.(settings)
  if (conflict) throw new RangeError(`${rule.name}: ${conflict}`)
  return settings
}

/** JSON has no word for NaN and the infinities; as text they are refused by every range. */
const kept = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

/** The hyperparameters at a step: schedules replaced by their values. Checked. */
export function optionsAt<O extends CommonOptions>(
  rule: UpdateRule<O>,
  settings: Settings<O>,
  step: number,
  reports: readonly Report[],
): O {
  const known = constant.get(settings)
  if (known) return known as O // Kept below, from the same settings.
  const entries = Object.entries(settings).map(([option, value]) => [
    option,
    isSchedule(value) ? scheduleValue(value, step, reports) : value,
  ])
  for (const [option, value] of entries) {
    mustHold(rule.name, option, value, rangeOf(option, rule.ranges))
  }
  const options: O = Object.fromEntries(entries)
  if (!Object.values(settings).some(isSchedule)) constant.set(settings, options)
  return options
}

/** The hyperparameters of settings without a schedule, which are the same at every step. */
const constant = new WeakMap<object, unknown>()

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'object' && value !== null
