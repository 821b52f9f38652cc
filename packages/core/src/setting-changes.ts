import type { Group } from './group.ts'
import {
  checkSelector,
  type GroupingOptions,
  type GroupSettings,
  type Selector,
  sameSelector,
  selects,
} from './parameter-groups.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import type { Report } from './schedules/schedule.ts'
import { optionsAt, settingsOf } from './settings.ts'

/**
 * The settings that groups would have after a change.
 *
 * @throws RangeError if a setting is unknown, out of range, or decides what is remembered; if nothing
 * is selected, or a part of a group.
 */
export function changedSettings<T, O extends CommonOptions>(
  rule: UpdateRule<O>,
  groups: readonly Group<T, O>[],
  changes: Partial<Settings<O>>,
  selector: Selector,
  { updates, reports }: { readonly updates: number; readonly reports: readonly Report[] },
): readonly { readonly group: Group<T, O>; readonly settings: Settings<O> }[] {
  const refuse = (reason: string): never => {
    throw new RangeError(`${rule.name}: ${reason}`)
  }
  checkSelector(rule, selector, new Set(groups.flatMap(({ names }) => names)))
  const changed = groups.flatMap((group) => {
    const selected = group.parameters.filter((parameter) => selects(selector, parameter))
    const [other] = group.parameters.filter((parameter) => !selected.includes(parameter))
    if (selected.length === 0) return []
    if (other) {
      refuse(`${selected[0].name} shares its settings with ${other.name}; make it a group`)
    }
    const settings = settingsOf(rule, group.settings, changes)
    optionsAt(rule, settings, updates, reports)
    if (`${rule.slots(settings)}` !== `${rule.slots(group.settings)}`) {
      refuse(`${Object.keys(changes)} decides what is remembered and cannot change`)
    }
    return [{ group, settings }]
  })
  return changed.length > 0 ? changed : refuse(`${String(selector)} selects no parameter`)
}

/** Changes without those that are left undefined, which change nothing. */
export const definedChanges = (changes: object): object =>
  Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))

/** The options of an optimizer after a change of settings, of all parameters or of some. */
export function changedOptions<O>(
  { base, groups }: GroupingOptions<O>,
  changes: Partial<Settings<O>>,
  parameters: Selector | undefined,
): GroupingOptions<O> {
  if (!parameters) {
    return {
      base: { ...base, ...changes },
      groups: groups.map((group) => ({ ...group, ...changes })),
    }
  }
  const others = groups.filter(
    (group) => !sameSelector(group.parameters, parameters) || !covers(changes, group),
  )
  return { base, groups: [...others, { ...changes, parameters }] }
}

/** Whether a change leaves nothing of a group's settings. */
const covers = <O>(changes: Partial<Settings<O>>, group: GroupSettings<O>): boolean =>
  Object.keys(group).every((option) => option === 'parameters' || option in changes)
