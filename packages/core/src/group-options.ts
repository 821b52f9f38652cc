import { checkedOptions, clone, completeOptions } from './options.ts'
import type { Parameter } from './parameters.ts'
import { boolean, checkRange, describe, isPlainObject, type OptionRange } from './ranges.ts'
import type { Hyperparameters, PartialOptions, RuleOptions, UpdateRule } from './rule.ts'
import type * as rules from './rules/index.ts'

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

/** What a parameter group selects. */
interface GroupSelection<Name extends string> {
  readonly parameters: Selector<Name>
  /** Whether the group may select no parameter, such as one that is added later; default false. */
  readonly optional?: boolean | undefined
}

/**
 * A parameter group with a rule of its own. Its options start from the defaults of that rule, not from the
 * options of all parameters.
 */
export type RuleGroup<H extends Hyperparameters, Name extends string = string> = PartialOptions<H> &
  GroupSelection<Name> & { readonly rule: UpdateRule<H> }

/** The hyperparameters of every rule of this package. */
type ShippedHyperparameters = {
  [K in keyof typeof rules]: (typeof rules)[K] extends UpdateRule<infer H> ? H : never
}[keyof typeof rules]

/**
 * The options that only other rules have, which TypeScript would accept because members of the union below have
 * them. An optimizer of any rule has no such options.
 */
type NoOptionsOfOthers<H> = Hyperparameters extends H
  ? unknown
  : { readonly [K in Exclude<OptionOf<ShippedHyperparameters>, keyof H>]?: undefined }

type OptionOf<H> = H extends Hyperparameters ? keyof H : never

/** A group with one of some rules, whose options are those of that rule. */
type GroupOfSome<H, Name extends string> = H extends Hyperparameters ? RuleGroup<H, Name> : never

/** The options of a parameter group that differ from those of all parameters, or another rule with its options. */
export type GroupOptions<H, Name extends string = string> =
  | (PartialOptions<H> &
      GroupSelection<Name> &
      NoOptionsOfOthers<H> & { readonly rule?: undefined })
  | GroupOfSome<ShippedHyperparameters | Hyperparameters, Name>

/** A parameter group as it is stored: checked, and a copy. */
interface CheckedGroup<H extends Hyperparameters> {
  readonly selector: Selector
  /** The rule of its own. */
  readonly rule: UpdateRule<H> | undefined
  /** Whether it selects a parameter. */
  readonly selects: ParameterTest
  /** Whether it may select none. */
  readonly optional: boolean
  readonly options: Partial<RuleOptions<H>>
}

/** The options of all parameters, and of parameter groups that override them. */
export interface GroupedOptions<H extends Hyperparameters> {
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

/**
 * Checks the options of an optimizer, and copies them.
 *
 * @throws TypeError if options are not a plain object, or a group's `parameters` are not a selector.
 * @throws RangeError naming the first option that is unknown or out of range, in any group.
 */
export function checkedGroupedOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  common: PartialOptions<H>,
  groups: readonly object[],
): GroupedOptions<H> {
  const checked = checkedOptions(rule, common)
  completeOptions(rule, [checked])
  checkRange(rule.name, 'groups', groups, list)
  const checkedGroups: CheckedGroup<H>[] = []
  for (const each of groups) {
    checkRange(rule.name, 'a group', each, group)
    const { parameters, optional = false, rule: own, ...rest } = each as Partial<RuleGroup<H>>
    const selector = checkedSelector(rule, parameters)
    checkRange(rule.name, 'optional', optional, boolean)
    checkRange(rule.name, "a group's rule", own, ruleRange)
    // A group without a rule may select parameters of earlier groups that have one.
    const rules = own ? [own] : rulesIn(rule, checkedGroups)
    // Besides its selector and its rule, a group has options of the rule.
    const checkedGroup = checkedByOne(rules, rest as unknown as PartialOptions<H>)
    const { options } = checkedGroup
    completeOptions(checkedGroup.rule, checkedGroup.rule === rule ? [checked, options] : [options])
    checkedGroups.push({ selector, selects: selectorTest(selector), rule: own, optional, options })
  }
  return { common: checked, groups: checkedGroups }
}

const ruleRange: OptionRange = {
  text: 'a rule, such as lion',
  includes: (value) =>
    value === undefined || (typeof value === 'object' && value !== null && 'defaults' in value),
}

/** The rule of an optimizer, and those of its groups. */
export const rulesIn = <H extends Hyperparameters>(
  rule: UpdateRule<H>,
  groups: readonly { readonly rule?: UpdateRule<H> | undefined }[],
): readonly UpdateRule<H>[] => [...new Set([rule, ...groups.flatMap((each) => each.rule ?? [])])]

/**
 * Checks options by the first of some rules that has all of them.
 *
 * @throws TypeError, RangeError of the first rule if none has.
 */
export function checkedByOne<H extends Hyperparameters>(
  rules: readonly UpdateRule<H>[],
  options: PartialOptions<H>,
): { readonly rule: UpdateRule<H>; readonly options: Partial<RuleOptions<H>> } {
  const errors: unknown[] = []
  for (const rule of rules) {
    try {
      return { rule, options: checkedOptions(rule, options) }
    } catch (error) {
      errors.push(error)
    }
  }
  throw errors[0]
}

/** A copy of parameter groups, as a user writes them. */
export const groupsOf = <H extends Hyperparameters>({
  groups,
}: GroupedOptions<H>): readonly object[] =>
  groups.map(({ selector, rule, optional, options }) => ({
    parameters: Array.isArray(selector) ? [...selector] : selector,
    ...(rule && { rule }),
    ...clone(options),
    ...(optional && { optional }),
  }))

/** Grouped options with the common ones and those of each group replaced. */
export const mapGroupedOptions = <H extends Hyperparameters>(
  { common, groups }: GroupedOptions<H>,
  map: (options: Partial<RuleOptions<H>>) => Partial<RuleOptions<H>>,
): GroupedOptions<H> => ({
  common: map(common),
  groups: groups.map((each) => ({ ...each, options: map(each.options) })),
})

/** Grouped options whose lists omit removed names, without the groups whose lists become empty. */
export const withoutNames = <H extends Hyperparameters>(
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

/** Parameters with the same rule and options. */
export interface Partition<T, H extends Hyperparameters> {
  readonly rule: UpdateRule<H>
  readonly options: RuleOptions<H>
  readonly parameters: readonly Parameter<T>[]
}

/**
 * Partitions parameters by their options: the common options, overridden by each group that selects the
 * parameter, in the order of the groups. A group with another rule starts from the defaults of that rule.
 *
 * @throws RangeError if options of several groups conflict, or the rule of a parameter has no such option.
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
      ...ruleAndOptions(
        rule,
        common,
        applied.map((i) => groups[i]),
      ),
      parameters: [],
    }
    partitions.set(key, found)
    found.parameters.push(parameter)
  }
  return [...partitions.values()]
}

/** The rule and the options of parameters that some groups select. */
function ruleAndOptions<H extends Hyperparameters>(
  common: UpdateRule<H>,
  commonOptions: Partial<RuleOptions<H>>,
  groups: readonly CheckedGroup<H>[],
): Omit<Partition<unknown, H>, 'parameters'> {
  let [rule, changes] = [common, [commonOptions]]
  for (const { rule: own = rule, options } of groups) {
    if (own !== rule) [rule, changes] = [own, []]
    changes.push(checkedOptions(rule, options))
  }
  return { rule, options: completeOptions(rule, changes) }
}

/**
 * Checks what the groups select. A group of parameters that are added later must be `optional`.
 *
 * @throws RangeError naming the first selector that lists an unknown name, or selects nothing.
 */
export function checkSelections<H extends Hyperparameters>(
  rule: Rule,
  { groups }: GroupedOptions<H>,
  parameters: readonly Selectable[],
): void {
  for (const { selector, optional } of groups) {
    if (!optional) checkSelection(rule, selector, parameters)
  }
}

/** The options of an optimizer after a checked change for all parameters, or for the selected ones. */
export function changedOptions<H extends Hyperparameters>(
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
  const overridesAll = ({ rule, options }: CheckedGroup<H>): boolean =>
    !rule && Object.keys(options).every((option) => option in changes)
  const others = groups.filter(
    (each) => !equalSelectors(each.selector, selector) || !overridesAll(each),
  )
  const added = {
    ...{ selector, selects: selectorTest(selector), rule: undefined },
    ...{ optional: false, options: changes },
  }
  return { common, groups: [...others, added] }
}
