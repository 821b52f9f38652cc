import { rangeOf } from './ranges.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import { learningRateAt, type Report, type Schedule } from './schedules/schedule.ts'

/**
 * The rule's defaults with some settings changed.
 *
 * @throws RangeError naming the first unknown option.
 */
export function settingsOf<O extends CommonOptions>(
  rule: UpdateRule<O>,
  ...changes: readonly Partial<Settings<O>>[]
): Settings<O> {
  const settings = Object.assign({ ...rule.defaults }, ...changes)
  for (const option of Object.keys(settings)) {
    if (!(option in rule.defaults)) {
      throw new RangeError(
        `${rule.name}: has no option ${option}; it has ${Object.keys(rule.defaults).join(', ')}`,
      )
    }
  }
  return settings
}

/**
 * Makes sure that every hyperparameter is in its range.
 *
 * @throws RangeError naming the rule, the option, its range and its value.
 */
function checkOptions<O extends CommonOptions>(rule: UpdateRule<O>, options: O): void {
  for (const [option, value] of Object.entries(options)) {
    const range = rangeOf(option, rule.ranges)
    if (!range.holds(value)) {
      throw new RangeError(`${rule.name}: ${option} must be ${range.text}, but is ${value}`)
    }
  }
}

/** The hyperparameters at a step: schedules replaced by their values. Checked. */
export function optionsAt<O extends CommonOptions>(
  rule: UpdateRule<O>,
  settings: Settings<O>,
  step: number,
  reports: readonly Report[],
): O {
  const options = Object.fromEntries(
    Object.entries(settings).map(([option, value]) => [
      option,
      isSchedule(value) ? learningRateAt(value, step, reports) : value,
    ]),
  ) as O // Settings<O> without its schedules is O.
  checkOptions(rule, options)
  return options
}

const isSchedule = (value: unknown): value is Schedule =>
  typeof value === 'object' && value !== null && 'kind' in value
