import { checkedOptions, clone, completeOptions } from './options.ts'
import type { Parameter } from './parameters.ts'
import { checkRange, describe, isPlainObject, type OptionRange, oneOf } from './ranges.ts'
import type { Hyperparameters, PartialOptions, RuleOptions, UpdateRule } from './rule.ts'

/**
 * Selects parameters: those whose names match, that are listed, or for which a function returns true.
 * Two selectors are equal if they are written the same; functions only if they are identical.
 */
export type Selector<Name extends string = string> =
  | RegExp
  | readonly Name[]
  | ((parameter: {
      readonly name: string
      readonly shape?: readonly number[] | undefined
    }) => boolean)

/** The options of a parameter group that differ from those of all parameters. */
export type GroupOptions<H, Name extends string = string> = PartialOptions<H> & {
  readonly parameters: Selector<Name>
  /** Whether the group may select no parameter, such as one that is added later; default false. */
  readonly optional?: boolean | undefined
}

/** A parameter group as it is stored: checked, and a copy. */
interface CheckedGroup<H> {
  readonly selector: Selector
  /** Whether it selects a parameter. */
  readonly selects: ParameterTest
  /** Whether it may select none. */
  readonly optional: boolean
  readonly options: Partial<RuleOptions<H>>
}

/** The options of all parameters, and of parameter groups that override them. */
export interface GroupedOptions<H> {
  readonly common: Partial<RuleOptions<H>>
  readonly groups: readonly CheckedGroup<H>[]
}

/** A segment of a name that is a bias, or the scale or shift of a normalization, in any framework. */
const biasOrNorm =
  /(^|[._/:-])(b|bias|beta|gamma|bn|ln(_\w+)?|(batch|layer|group|instance|rms)?_?norm(alization)?)(_?\d+)?([._/:-]|$)|bias(_?\d+)?(:\d+)?$/i

/**
 * A parameter group without weight decay: biases, and the scales and shifts of normalization layers. They
 * have fewer than two axes or, if the shape is unknown, such a name. A model may have none.
 */
export const noDecayOnBiasAndNorm: {
  readonly parameters: Selector
  readonly weightDecay: number
  readonly optional: boolean
} = Object.freeze({
  parameters: ({ name, shape }: Selectable) => (shape ? shape.length < 2 : biasOrNorm.test(name)),
  weightDecay: 0,
  optional: true,
})

/** What a selector knows of a parameter. */
type Selectable = Pick<Parameter<unknown>, 'name' | 'shape'>

type ParameterTest = (parameter: Selectable) => boolean

/** The test whether a selector selects a parameter. */
export function selectorTest(selector: Selector): ParameterTest {
  if (typeof selector === 'function') return (parameter) => Boolean(selector(parameter))
  if (selector instanceof RegExp) return ({ name }) => name.search(selector) >= 0
  const names = new Set(selector)
  return ({ name }) => names.has(name)
}

/** Whether a selector selects a parameter. */
export const selects = (selector: Selector, parameter: Selectable): boolean =>
  selectorTest(selector)(parameter)

/** A selector as error messages show it. */
const describeSelector = (selector: Selector): string => {
  if (selector instanceof RegExp) return String(selector)
  return typeof selector === 'function'
    ? `the function ${String(selector).slice(0, 80)}`
    : describe(selector)
}

const equalSelectors = (a: Selector, b: Selector): boolean => keyOf(a) === keyOf(b)

const keyOf = (selector: Selector): unknown => {
  if (typeof selector === 'function') return selector
  return selector instanceof RegExp ? `${selector}` : JSON.stringify(selector)
}

type Rule = { readonly name: string }

/** A copy of a selector. @throws TypeError if the value is not a selector. */
export function checkedSelector({ name }: Rule, selector: unknown): Selector {
  if (typeof selector === 'function') return selector as Selector // Called with a parameter.
  if (selector instanceof RegExp) return selector
  if (Array.isArray(selector)) return [...selector]
  throw new TypeError(
    `${name}: parameters are selected by a RegExp, a list of names or a function, not by ${describe(selector)}`,
  )
}

/**
 * Checks what a selector selects.
 *
 * @throws RangeError if a list has an unknown name, or nothing is selected.
 */
export function checkSelection(
  { name }: Rule,
  selector: Selector,
  parameters: readonly Selectable[],
): void {
  if (Array.isArray(selector)) {
    const known = new Set(parameters.map((parameter) => parameter.name))
    const unknown = selector.find((listed) => !known.has(listed))
    if (unknown !== undefined) {
      throw new RangeError(`${name}: ${describe(unknown)} is selected, but is not a parameter`)
    }
  }
  if (!parameters.some(selectorTest(selector))) {
    throw new RangeError(`${name}: ${describeSelector(selector)} selects no parameter`)
  }
}

const list: OptionRange = { text: 'a list', includes: Array.isArray }
const group: OptionRange = { text: 'an object', includes: isPlainObject }
const boolean = oneOf(false, true)

/**
 * Checks the options of an optimizer, and copies them.
 *
 * @throws TypeError if options are not a plain object, or a group's `parameters` are not a selector.
 * @throws RangeError naming the first option that is unknown or out of range, in any group.
 */
export function checkedGroupedOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  common: PartialOptions<H>,
  groups: readonly GroupOptions<H>[],
): GroupedOptions<H> {
  const checked = checkedOptions(rule, common)
  completeOptions(rule, [checked])
  checkRange(rule.name, 'groups', groups, list)
  const checkedGroups = groups.map((each) => {
    checkRange(rule.name, 'a group', each, group)
    const { parameters, optional = false, ...rest } = each
    const selector = checkedSelector(rule, parameters)
    checkRange(rule.name, 'optional', optional, boolean)
    // Besides its selector, a group has options of the rule.
    const options = checkedOptions(rule, rest as unknown as PartialOptions<H>)
    completeOptions(rule, [checked, options])
    return { selector, selects: selectorTest(selector), optional, options }
  })
  return { common: checked, groups: checkedGroups }
}

/** A copy of parameter groups, as a user writes them. */
export const groupsOf = <H>({ groups }: GroupedOptions<H>): readonly GroupOptions<H>[] =>
  groups.map(({ selector, optional, options }) => ({
    parameters: Array.isArray(selector) ? [...selector] : selector,
    ...clone(options),
    ...(optional && { optional }),
  }))

/** Grouped options with the common ones and those of each group replaced. */
export const mapGroupedOptions = <H>(
  { common, groups }: GroupedOptions<H>,
  map: (options: Partial<RuleOptions<H>>) => Partial<RuleOptions<H>>,
): GroupedOptions<H> => ({
  common: map(common),
  groups: groups.map((each) => ({ ...each, options: map(each.options) })),
})

/** Grouped options whose lists omit removed names, without the groups whose lists become empty. */
export const withoutNames = <H>(
  { common, groups }: GroupedOptions<H>,
  removed: ReadonlySet<string>,
): GroupedOptions<H> => ({
  common,
  groups: groups.flatMap((each) => {
    const { selector } = each
    if (!Array.isArray(selector)) return [each]
    const names: readonly string[] = selector.filter((name) => !removed.has(name))
    if (names.length === selector.length) return [each]
    return names.length === 0 ? [] : [{ ...each, selector: names, selects: selectorTest(names) }]
  }),
})

/** Parameters with the same options. */
export interface Partition<T, H> {
  readonly options: RuleOptions<H>
  readonly parameters: readonly Parameter<T>[]
}

/**
 * Partitions parameters by their options: the common options, overridden by each group that selects the
 * parameter, in the order of the groups.
 *
 * @throws RangeError if options of several groups conflict.
 */
export function partition<T, H extends Hyperparameters>(
  rule: UpdateRule<H>,
  parameters: readonly Parameter<T>[],
  { common, groups }: GroupedOptions<H>,
): readonly Partition<T, H>[] {
  const partitions = new Map<string, Partition<T, H> & { parameters: Parameter<T>[] }>()
  for (const parameter of parameters) {
    const applied = [...groups.keys()].filter((i) => groups[i].selects(parameter))
    const key = `${applied}`
    const found = partitions.get(key) ?? {
      options: completeOptions(rule, [common, ...applied.map((i) => groups[i].options)]),
      parameters: [],
    }
    partitions.set(key, found)
    found.parameters.push(parameter)
  }
  return [...partitions.values()]
}

/**
 * Checks what the groups select. A group of parameters that are added later must be `optional`.
 *
 * @throws RangeError naming the first selector that lists an unknown name, or selects nothing.
 */
export function checkSelections<H>(
  rule: Rule,
  { groups }: GroupedOptions<H>,
  parameters: readonly Selectable[],
): void {
  for (const { selector, optional } of groups) {
    if (!optional) checkSelection(rule, selector, parameters)
  }
}

/** The options of an optimizer after a checked change for all parameters, or for the selected ones. */
export function changedOptions<H>(
  { common, groups }: GroupedOptions<H>,
  changes: Partial<RuleOptions<H>>,
  selector: Selector | undefined,
): GroupedOptions<H> {
  if (!selector) {
    return {
      common: { ...common, ...changes },
      groups: groups.map((each) => ({ ...each, options: { ...each.options, ...changes } })),
    }
  }
  const overridesAll = ({ options }: CheckedGroup<H>): boolean =>
    Object.keys(options).every((option) => option in changes)
  const others = groups.filter(
    (each) => !equalSelectors(each.selector, selector) || !overridesAll(each),
  )
  const added = { selector, selects: selectorTest(selector), optional: false, options: changes }
  return { common, groups: [...others, added] }
}
