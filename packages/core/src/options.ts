import { checkRange, rangeOf } from './ranges.ts'
import { type Hyperparameters, type RuleOptions, schedulable, type UpdateRule } from './rule.ts'
import {
  checkSchedule,
  type LossReport,
  type Schedule,
  scheduleValue,
} from './schedules/schedule.ts'

/**
 * A new object of the rule's defaults, overridden by each of `changes` in turn. Undefined values
 * override nothing.
 *
 * @throws RangeError naming the first option that is unknown, follows a schedule but cannot, or conflicts
 * with another. Ranges of plain values are checked by `hyperparametersAt`.
 */
export function completeOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  ...changes: readonly Partial<RuleOptions<H>>[]
): RuleOptions<H> {
  const entries = changes.flatMap((change) => Object.entries(change))
  for (const [option, value] of entries) {
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
  const defined = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  const options: RuleOptions<H> = {
    ...rule.defaults,
    ...JSON.parse(JSON.stringify(defined, keepNonFinite)),
  }
  const conflict = rule.conflict?.(options)
  if (conflict) throw new RangeError(`${rule.name}: ${conflict}`)
  return options
}

/** JSON turns NaN and the infinities into null; as strings, every range refuses them by name. */
const keepNonFinite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value

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
  reports: readonly LossReport[],
): H {
  const entries = Object.entries(options).map(([option, value]) => [
    option,
    isSchedule(value) ? scheduleValue(value, step, reports) : value,
  ])
  for (const [option, value] of entries) {
    checkRange(rule.name, option, value, rangeOf(rule, option))
  }
  return Object.fromEntries(entries)
}

/** Whether any option follows a schedule, so that the hyperparameters differ from step to step. */
export const hasSchedule = (options: object): boolean => Object.values(options).some(isSchedule)

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'object' && value !== null
