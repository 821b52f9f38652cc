import type { ArrayLists, Backend } from './backend.ts'
import { completeOptions, hasSchedule, hyperparametersAt } from './options.ts'
import type { Parameter } from './parameters.ts'
import { checkRange, type OptionRange } from './ranges.ts'
import type { Hyperparameters, RuleOptions, UpdateRule } from './rule.ts'
import {
  coefficientsAt,
  kernelVariantAt,
  type RuleKernels,
  ruleKernels,
  type StepKernels,
} from './rule-kernels.ts'
import type { LossReport } from './schedules/schedule.ts'

/**
 * Selects parameters: those whose names match, that are listed, or for which a function returns true.
 * Two selectors are equal if they are written the same; functions only if they are identical.
 */
export type Selector =
  | RegExp
  | readonly string[]
  | ((parameter: { readonly name: string; readonly shape?: readonly number[] }) => boolean)

/** The options of a parameter group that differ from those of all parameters. */
export type GroupOptions<H> = Partial<RuleOptions<H>> & { readonly parameters: Selector }

/** The options of all parameters, and of parameter groups that override them. */
export interface GroupedOptions<H> {
  readonly common: Partial<RuleOptions<H>>
  readonly groups: readonly GroupOptions<H>[]
}

/** A segment of a name that is a bias, or the scale or shift of a normalization, in any framework. */
const biasOrNorm =
  /(^|[._/:-])(b|bias|beta|gamma|bn|ln(_\w+)?|(batch|layer|group|instance|rms)?_?norm(alization)?)(_?\d+)?([._/:-]|$)|bias(_?\d+)?(:\d+)?$/i

/**
 * A parameter group without weight decay: biases, and the scales and shifts of normalization layers. They
 * have fewer than two axes or, if the shape is unknown, such a name.
 */
export const noDecayOnBiasAndNorm: {
  readonly parameters: Selector
  readonly weightDecay: number
} = {
  parameters: ({ name, shape }) => (shape ? shape.length < 2 : biasOrNorm.test(name)),
  weightDecay: 0,
}

/** Whether a selector selects a parameter. */
export const selects = (
  selector: Selector,
  parameter: { readonly name: string; readonly shape?: readonly number[] },
): boolean =>
  typeof selector === 'function'
    ? selector(parameter)
    : selector instanceof RegExp
      ? parameter.name.search(selector) >= 0
      : selector.includes(parameter.name)

const equalSelectors = (a: Selector, b: Selector): boolean => keyOf(a) === keyOf(b)

const keyOf = (selector: Selector): unknown => {
  if (typeof selector === 'function') return selector
  return selector instanceof RegExp ? `${selector}` : JSON.stringify(selector)
}

/** @throws TypeError if `selector` is no selector. @throws RangeError if it lists an unknown name. */
function checkSelector(
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

/** Parameters with the same options. */
export interface Partition<T, H> {
  readonly options: RuleOptions<H>
  readonly parameters: readonly Parameter<T>[]
}

const list: OptionRange = { text: 'a list', includes: Array.isArray }
const object: OptionRange = {
  text: 'an object',
  includes: (value) => typeof value === 'object' && value !== null,
}

/**
 * Partitions parameters by their options: the common options, overridden by each group that selects the
 * parameter, in the order of the groups.
 *
 * @param names - the names that a group may list.
 * @throws RangeError naming the first option that is unknown or out of range, in any group.
 */
export function partition<T, H extends Hyperparameters>(
  rule: UpdateRule<H>,
  parameters: readonly Parameter<T>[],
  { common, groups }: GroupedOptions<H>,
  names: ReadonlySet<string>,
): readonly Partition<T, H>[] {
  checkRange(rule.name, 'groups', groups, list)
  for (const group of groups) checkRange(rule.name, 'a group', group, object)
  const overrides = groups.map(({ parameters: selector, ...options }) => {
    checkSelector(rule, selector, names)
    // Besides its selector, a group has options of the rule.
    return { selector, options: options as unknown as Partial<RuleOptions<H>> }
  })
  const checked = (applied: typeof overrides): RuleOptions<H> => {
    const options = completeOptions(rule, common, ...applied.map((override) => override.options))
    hyperparametersAt(rule, options, 0, [])
    return options
  }
  checked([])
  for (const override of overrides) checked([override])
  const partitions = new Map<string, Partition<T, H> & { parameters: Parameter<T>[] }>()
  for (const parameter of parameters) {
    const applied = overrides.filter(({ selector }) => selects(selector, parameter))
    const key = `${applied.map((override) => overrides.indexOf(override))}`
    const found = partitions.get(key) ?? { options: checked(applied), parameters: [] }
    partitions.set(key, found)
    found.parameters.push(parameter)
  }
  return [...partitions.values()]
}

/** A parameter group: parameters with the same options, and their optimizer state. */
export class ParameterGroup<T, H extends Hyperparameters> {
  readonly parameters: readonly Parameter<T>[]
  readonly names: readonly string[]
  readonly theta: readonly T[]
  /** For each state name of the rule and of the transforms, one array per parameter. */
  readonly state: ArrayLists<T>
  /** The number of updates of each parameter. */
  readonly steps: number[]
  /** Whether `state.gradient` of each parameter holds a gradient for the next update. */
  readonly pending: boolean[]
  readonly #rule: UpdateRule<H>
  readonly #kernels = new Map<string, RuleKernels>()
  #options: RuleOptions<H>
  /** The hyperparameters, if no option follows a schedule. */
  #constant: H | undefined

  constructor(
    backend: Backend<T, unknown>,
    rule: UpdateRule<H>,
    { options, parameters }: Partition<T, H>,
    transformStateNames: readonly string[],
  ) {
    this.parameters = parameters
    this.names = parameters.map(({ name }) => name)
    this.theta = parameters.map(({ value }) => value)
    this.state = backend.zeros(this.theta, [...rule.stateNames(options), ...transformStateNames])
    this.steps = parameters.map(() => 0)
    this.pending = parameters.map(() => false)
    this.#rule = rule
    this.#options = options
  }

  get options(): RuleOptions<H> {
    return this.#options
  }

  set options(options: RuleOptions<H>) {
    this.#options = options
    this.#constant = undefined
  }

  /** The hyperparameters after some updates. @throws RangeError if one is out of range. */
  hyperparameters(updates: number, reports: readonly LossReport[]): H {
    if (this.#constant) return this.#constant
    const hyperparameters = hyperparametersAt(this.#rule, this.#options, updates, reports)
    if (!hasSchedule(this.#options)) this.#constant = hyperparameters
    return hyperparameters
  }

  /** The arrays at some positions. */
  lists(positions: readonly number[], gradients: readonly T[] = []): ArrayLists<T> {
    const lists: Record<string, readonly T[]> = { theta: pick(this.theta, positions), g: gradients }
    for (const [name, arrays] of Object.entries(this.state)) lists[name] = pick(arrays, positions)
    return lists
  }

  /** The kernels and coefficients of step t, counted from 1. */
  kernels(hyperparameters: H, t: number): StepKernels {
    const variant = kernelVariantAt(this.#rule, this.#options, hyperparameters, t)
    const key = JSON.stringify(variant)
    const kernels = this.#kernels.get(key) ?? ruleKernels(this.#rule, this.#options, variant)
    this.#kernels.set(key, kernels)
    return { ...kernels, coefficients: coefficientsAt(this.#rule, hyperparameters, t) }
  }
}

/** The elements at ascending positions. All positions return the list itself, by which backends cache. */
export const pick = <T>(list: readonly T[], positions: readonly number[]): readonly T[] =>
  positions.length === list.length ? list : positions.map((i) => list[i])

/** The gradients of some parameters of a group, which are given by their positions in it. */
export interface GroupGradients<T, H extends Hyperparameters> {
  readonly group: ParameterGroup<T, H>
  readonly positions: readonly number[]
  readonly gradients: readonly T[]
}

/** The gradients of parameters with the same step count, which share their coefficients. */
export interface SameStepGradients<T, H extends Hyperparameters> extends GroupGradients<T, H> {
  /** The number of updates of each of these parameters. */
  readonly step: number
}

/** Splits gradients by the step counts of their parameters. */
export function splitByStep<T, H extends Hyperparameters>(
  groupGradients: GroupGradients<T, H>,
): readonly SameStepGradients<T, H>[] {
  const { group, positions, gradients } = groupGradients
  const [first] = positions
  if (first === undefined) return []
  const step = group.steps[first]
  if (positions.every((i) => group.steps[i] === step)) return [{ ...groupGradients, step }]
  return [...new Set(positions.map((i) => group.steps[i]))].map((step) => {
    const matches = positions.map((i) => group.steps[i] === step)
    return {
      group,
      positions: positions.filter((_, k) => matches[k]),
      gradients: gradients.filter((_, k) => matches[k]),
      step,
    }
  })
}

/**
 * The options that groups would have after a change.
 *
 * @throws RangeError if an option is unknown, out of range, or selects the optimizer state; if no
 * parameter is selected, or only a part of a group.
 */
export function changedGroups<T, H extends Hyperparameters>(
  rule: UpdateRule<H>,
  groups: readonly ParameterGroup<T, H>[],
  changes: Partial<RuleOptions<H>>,
  selector: Selector,
  { updates, reports }: { readonly updates: number; readonly reports: readonly LossReport[] },
): readonly { readonly group: ParameterGroup<T, H>; readonly options: RuleOptions<H> }[] {
  const refuse = (reason: string): never => {
    throw new RangeError(`${rule.name}: ${reason}`)
  }
  checkSelector(rule, selector, new Set(groups.flatMap(({ names }) => names)))
  const changed = groups.flatMap((group) => {
    const selected = group.parameters.filter((parameter) => selects(selector, parameter))
    const [other] = group.parameters.filter((parameter) => !selected.includes(parameter))
    if (selected.length === 0) return []
    if (other) {
      refuse(`${selected[0].name} shares its options with ${other.name}; make it a group`)
    }
    const options = completeOptions(rule, group.options, changes)
    hyperparametersAt(rule, options, updates, reports)
    if (`${rule.stateNames(options)}` !== `${rule.stateNames(group.options)}`) {
      refuse(`${Object.keys(changes)} selects the optimizer state and cannot change`)
    }
    return [{ group, options }]
  })
  return changed.length > 0 ? changed : refuse(`${String(selector)} selects no parameter`)
}

/** The options of an optimizer after a change for all parameters, or for the selected ones. */
export function changedOptions<H>(
  { common, groups }: GroupedOptions<H>,
  changes: Partial<RuleOptions<H>>,
  selector: Selector | undefined,
): GroupedOptions<H> {
  if (!selector) {
    return {
      common: { ...common, ...changes },
      groups: groups.map((group) => ({ ...group, ...changes })),
    }
  }
  const others = groups.filter(
    (group) => !equalSelectors(group.parameters, selector) || !overridesAll(changes, group),
  )
  return { common, groups: [...others, { ...changes, parameters: selector }] }
}

const overridesAll = <H>(changes: Partial<RuleOptions<H>>, group: GroupOptions<H>): boolean =>
  Object.keys(group).every((option) => option === 'parameters' || option in changes)
