import type { Parameter } from './parameters.ts'
import { mustHold, type Range } from './ranges.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import { optionsAt, settingsOf } from './settings.ts'

/**
 * Which parameters: those whose names match, or that are listed, or for which a function says so. The
 * same again is the same selector; of functions, only the very same one.
 */
export type Selector =
  | RegExp
  | readonly string[]
  | ((parameter: { readonly name: string; readonly shape?: readonly number[] }) => boolean)

/** Settings for some parameters only. */
export type GroupSettings<O> = Partial<Settings<O>> & { readonly parameters: Selector }

/** A segment of a name that is a bias, or the scale or shift of a normalization, in any framework. */
const biasOrNorm =
  /(^|[._/:-])(b|bias|beta|gamma|bn|ln(_\w+)?|(batch|layer|group|instance|rms)?_?norm(alization)?)(_?\d+)?([._/:-]|$)|bias(_?\d+)?(:\d+)?$/i

/**
 * The usual exception from weight decay: biases, and the scales and shifts of normalization layers,
 * recognized by having fewer than two axes or, where the shape is unknown, by their names.
 */
export const noDecayOnBiasAndNorm: {
  readonly parameters: Selector
  readonly weightDecay: number
} = {
  parameters: ({ name, shape }) => (shape ? shape.length < 2 : biasOrNorm.test(name)),
  weightDecay: 0,
}

/** Whether a selector takes a parameter. */
export const selects = (
  selector: Selector,
  parameter: { readonly name: string; readonly shape?: readonly number[] },
): boolean =>
  typeof selector === 'function'
    ? selector(parameter)
    : selector instanceof RegExp
      ? parameter.name.search(selector) >= 0
      : selector.includes(parameter.name)

/** Whether two selectors are the same. */
export const sameSelector = (one: Selector, other: Selector): boolean => keyOf(one) === keyOf(other)

const keyOf = (selector: Selector): unknown => {
  if (typeof selector === 'function') return selector
  return selector instanceof RegExp ? `${selector}` : JSON.stringify(selector)
}

/** @throws TypeError if it is no selector. @throws RangeError if a listed name is no parameter's. */
export function checkSelector(
  rule: { readonly name: string },
  selector: unknown,
  names: ReadonlySet<string>,
): void {
  if (typeof selector === 'function' || selector instanceof RegExp) return
  if (!Array.isArray(selector)) {
    throw new TypeError(
      `${rule.name}: parameters are selected by a RegExp, a list of names or a function, not by ${String(selector)}`,
    )
  }
  const unknown = selector.find((name) => !names.has(name))
  if (unknown !== undefined) {
    throw new RangeError(`${rule.name}: ${unknown} is selected, which is no parameter`)
  }
}

/** Settings for all parameters, and changes of them for some. */
export interface GroupingOptions<O> {
  readonly base: Partial<Settings<O>>
  readonly groups: readonly GroupSettings<O>[]
}

/** Parameters that share all their settings. */
export interface Partition<T, O> {
  readonly settings: Settings<O>
  readonly parameters: readonly Parameter<T>[]
}

const anObject: Range = {
  text: 'an object',
  holds: (value) => typeof value === 'object' && value !== null,
}

/**
 * Sorts parameters by the groups that select them. Their settings are the base settings, changed by
 * each of these groups, the last one having the last word.
 *
 * @param names - those that a group may list.
 * @throws RangeError naming the first setting that is unknown or out of range, in any group.
 */
export function partition<T, O extends CommonOptions>(
  rule: UpdateRule<O>,
  parameters: readonly Parameter<T>[],
  { base, groups }: GroupingOptions<O>,
  names: ReadonlySet<string>,
): readonly Partition<T, O>[] {
  mustHold(rule.name, 'groups', groups, { text: 'a list', holds: Array.isArray })
  for (const group of groups) mustHold(rule.name, 'a group', group, anObject)
  const changes = groups.map(({ parameters: selector, ...settings }) => {
    checkSelector(rule, selector, names)
    // What a group has beside its selector are settings.
    return { selector, settings: settings as unknown as Partial<Settings<O>> }
  })
  const checked = (some: typeof changes): Settings<O> => {
    const settings = settingsOf(rule, base, ...some.map((change) => change.settings))
    optionsAt(rule, settings, 0, [])
    return settings
  }
  checked([])
  for (const change of changes) checked([change])
  const partitions = new Map<string, Partition<T, O> & { parameters: Parameter<T>[] }>()
  for (const parameter of parameters) {
    const own = changes.filter(({ selector }) => selects(selector, parameter))
    const key = `${own.map((change) => changes.indexOf(change))}`
    const found = partitions.get(key) ?? { settings: checked(own), parameters: [] }
    partitions.set(key, found)
    found.parameters.push(parameter)
  }
  return [...partitions.values()]
}
