import type { ArrayLists, Backend } from './backend.ts'
import { checkSelection, type Partition, type Selector, selectorTest } from './group-options.ts'
import { checkedOptions, completeOptions, hasSchedule, hyperparametersAt } from './options.ts'
import type { Parameter } from './parameters.ts'
import {
  type Hyperparameters,
  initialScalars,
  type RuleOptions,
  type Scalars,
  type UpdateRule,
} from './rule.ts'
import { kernelVariantAt, type RuleKernels, ruleKernels } from './rule-kernels.ts'

/** The optimizer state that starts at the weights of the first update instead of zero. */
export type WeightState = 'slow' | 'ema'

/** The parameters of a group and everything that it keeps for each of them, by position. */
export interface GroupContents<T, H extends Hyperparameters> extends Partition<T, H> {
  /** For each state name of the rule and of the transforms, one array per parameter. */
  readonly state: ArrayLists<T>
  /** The number of updates of each parameter. */
  readonly steps: number[]
  /** The scalar state of each parameter. */
  readonly scalars: Scalars[]
  /** Whether `state.gradient` of each parameter holds a gradient for the next update. */
  readonly pending: boolean[]
  /** Whether `state.slow` and `state.ema` of each parameter have been initialized. */
  readonly initialized: Readonly<Record<WeightState, boolean[]>>
}

/** A parameter group: parameters with the same rule and options, and their optimizer state. */
export class ParameterGroup<T, H extends Hyperparameters> implements GroupContents<T, H> {
  readonly rule: UpdateRule<H>
  readonly parameters: readonly Parameter<T>[]
  readonly names: readonly string[]
  readonly theta: readonly T[]
  readonly state: ArrayLists<T>
  readonly steps: number[]
  readonly scalars: Scalars[]
  readonly pending: boolean[]
  readonly initialized: Readonly<Record<WeightState, boolean[]>>
  readonly #kernels: Map<string, RuleKernels>
  #options: RuleOptions<H>
  /** The hyperparameters, if no option follows a schedule. */
  #constant: H | undefined

  constructor(
    { rule, options, parameters, state, steps, scalars, pending, initialized }: GroupContents<T, H>,
    kernels: Map<string, RuleKernels> = new Map(),
  ) {
    this.rule = rule
    this.parameters = parameters
    this.names = parameters.map(({ name }) => name)
    this.theta = parameters.map(({ value }) => value)
    this.state = state
    this.steps = steps
    this.scalars = scalars
    this.pending = pending
    this.initialized = initialized
    this.#kernels = kernels
    this.#options = options
  }

  /** A group whose state is newly allocated. */
  static allocate<T, H extends Hyperparameters>(
    backend: Backend<T, unknown>,
    partition: Partition<T, H>,
    transformStateNames: readonly string[],
  ): ParameterGroup<T, H> {
    const { rule, options, parameters } = partition
    const names = [...rule.stateNames(options), ...transformStateNames]
    const never = (): boolean[] => parameters.map(() => false)
    return new ParameterGroup({
      ...partition,
      state: backend.zeros(
        parameters.map(({ value }) => value),
        names,
      ),
      steps: parameters.map(() => 0),
      scalars: parameters.map(() => initialScalars(rule)),
      pending: never(),
      initialized: { slow: never(), ema: never() },
    })
  }

  get options(): RuleOptions<H> {
    return this.#options
  }

  set options(options: RuleOptions<H>) {
    this.#options = options
    this.#constant = undefined
  }

  /** The hyperparameters after some updates. @throws RangeError if one is out of range. */
  hyperparameters(updates: number): H {
    if (this.#constant) return this.#constant
    const hyperparameters = hyperparametersAt(this.rule, this.#options, updates)
    if (!hasSchedule(this.#options)) this.#constant = hyperparameters
    return hyperparameters
  }

  /** The arrays at some positions. */
  lists(positions: readonly number[], gradients: readonly T[] = []): ArrayLists<T> {
    const lists: Record<string, readonly T[]> = { theta: pick(this.theta, positions), g: gradients }
    for (const [name, arrays] of Object.entries(this.state)) lists[name] = pick(arrays, positions)
    return lists
  }

  /** The names of state that starts at θ at the first step of each parameter. */
  get startsAsTheta(): readonly string[] {
    return this.rule.startsAsTheta ?? []
  }

  /** The arrays at some positions that have the same step count, as kernels read them that change none. */
  readLists(positions: readonly number[], gradients: readonly T[]): ArrayLists<T> {
    const lists = this.lists(positions, gradients)
    if (this.steps[positions[0]] > 0) return lists
    const starting = this.startsAsTheta.map((name) => [name, lists.theta])
    return { ...lists, ...Object.fromEntries(starting) }
  }

  /** The kernels of step t, counted from 1. */
  kernels(hyperparameters: H, t: number, cautious: boolean): RuleKernels {
    const variant = kernelVariantAt(this.rule, this.#options, hyperparameters, t, cautious)
    const key = JSON.stringify(variant)
    const kernels = this.#kernels.get(key) ?? ruleKernels(this.rule, this.#options, variant)
    this.#kernels.set(key, kernels)
    return kernels
  }

  /** A group of the parameters at some positions, with the same arrays. */
  select(positions: readonly number[]): ParameterGroup<T, H> {
    const at = <V>(list: readonly V[]): V[] => positions.map((i) => list[i])
    const { slow, ema } = this.initialized
    const contents = {
      rule: this.rule,
      options: this.#options,
      parameters: at(this.parameters),
      state: mapLists(this.state, at),
      steps: at(this.steps),
      scalars: at(this.scalars),
      pending: at(this.pending),
      initialized: { slow: at(slow), ema: at(ema) },
    }
    return new ParameterGroup(contents, this.#kernels)
  }

  /** A group with the parameter at a position, and its arrays, replaced by those of another group. */
  replace(position: number, { parameters, state }: ParameterGroup<T, H>): ParameterGroup<T, H> {
    const contents = {
      ...this.#contents(),
      parameters: this.parameters.with(position, parameters[0]),
      state: mapLists(this.state, (arrays, name) => arrays.with(position, state[name][0])),
    }
    return new ParameterGroup(contents, this.#kernels)
  }

  /** A group with other lists of arrays. State that this group does not have is uninitialized. */
  withState(state: ArrayLists<T>): ParameterGroup<T, H> {
    const unlessNew = (name: string, flags: boolean[]): boolean[] =>
      name in this.state ? flags : flags.map(() => false)
    const { slow, ema } = this.initialized
    const contents = {
      ...this.#contents(),
      state,
      pending: unlessNew('gradient', this.pending),
      initialized: { slow: unlessNew('slow', slow), ema: unlessNew('ema', ema) },
    }
    return new ParameterGroup(contents, this.#kernels)
  }

  #contents(): GroupContents<T, H> {
    const { rule, options, parameters, state, steps, scalars, pending, initialized } = this
    return { rule, options, parameters, state, steps, scalars, pending, initialized }
  }
}

const mapLists = <T>(
  lists: ArrayLists<T>,
  map: (arrays: readonly T[], name: string) => readonly T[],
): ArrayLists<T> =>
  Object.fromEntries(Object.entries(lists).map(([name, arrays]) => [name, map(arrays, name)]))

/** The elements at ascending positions. All positions return the list itself, by which backends cache. */
export const pick = <T>(list: readonly T[], positions: readonly number[]): readonly T[] =>
  positions.length === list.length ? list : positions.map((i) => list[i])

/** Where a parameter is: its group, and its position in it. */
export interface ParameterPosition<T, H extends Hyperparameters> {
  readonly group: ParameterGroup<T, H>
  readonly position: number
}

/** The parameter groups of an optimizer, with an index by name. */
export class ParameterGroups<T, H extends Hyperparameters> {
  /** Changes with the groups. */
  version = 0
  readonly #rule: { readonly name: string }
  readonly #groups = new Set<ParameterGroup<T, H>>()
  readonly #positions = new Map<string, ParameterPosition<T, H>>()
  readonly #arrays = new Set<T>()

  constructor(rule: { readonly name: string }) {
    this.#rule = rule
  }

  [Symbol.iterator](): Iterator<ParameterGroup<T, H>> {
    return this.#groups.values()
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0
  }

  get parameters(): readonly Parameter<T>[] {
    return [...this.#groups].flatMap(({ parameters }) => parameters)
  }

  has(name: string): boolean {
    return this.#positions.has(name)
  }

  /** Whether an array is that of a parameter. */
  hasArray(array: T): boolean {
    return this.#arrays.has(array)
  }

  /** @throws RangeError if no parameter has this name. */
  find(name: string): ParameterPosition<T, H> {
    const found = this.#positions.get(name)
    if (found) return found
    throw new RangeError(`${this.#rule.name}: no parameter is called ${name}`)
  }

  /** Adds groups, whose parameters have new names. */
  add(groups: readonly ParameterGroup<T, H>[]): void {
    for (const group of groups) {
      this.#groups.add(group)
      for (const [position, { name, value }] of group.parameters.entries()) {
        this.#positions.set(name, { group, position })
        this.#arrays.add(value)
      }
    }
    this.version++
  }

  /** Replaces each group by groups of its parameters, or of some of them, at its place. */
  replace(replacements: ReadonlyMap<ParameterGroup<T, H>, readonly ParameterGroup<T, H>[]>): void {
    const groups = [...this.#groups].flatMap((group) => replacements.get(group) ?? [group])
    for (const { names, theta } of replacements.keys()) {
      for (const name of names) this.#positions.delete(name)
      for (const array of theta) this.#arrays.delete(array)
    }
    this.#groups.clear()
    for (const group of groups) this.#groups.add(group)
    this.add([...replacements.values()].flat())
  }

  /** The positions of the selected parameters, in each group that has some. */
  select(
    selector: Selector,
  ): ReadonlyMap<ParameterGroup<T, H>, { readonly inside: number[]; readonly outside: number[] }> {
    checkSelection(this.#rule, selector, this.parameters)
    const test = selectorTest(selector)
    const selected = [...this.#groups].map((group) => {
      const [inside, outside]: [number[], number[]] = [[], []]
      for (const [i, parameter] of group.parameters.entries()) {
        if (test(parameter)) inside.push(i)
        else outside.push(i)
      }
      return [group, { inside, outside }] as const
    })
    return new Map(selected.filter(([, { inside }]) => inside.length > 0))
  }
}

/**
 * The options that groups would have after a checked change.
 *
 * @throws RangeError if the rule of a selected group has no such option; if an option is out of range, or
 * selects the optimizer state; if no parameter is selected, or only a part of a group.
 */
export function changedGroups<T, H extends Hyperparameters>(
  groups: ParameterGroups<T, H>,
  changes: Partial<RuleOptions<H>>,
  selector: Selector,
  updates: number,
): readonly { readonly group: ParameterGroup<T, H>; readonly options: RuleOptions<H> }[] {
  return [...groups.select(selector)].map(([group, { inside, outside }]) => {
    const { rule } = group
    const refuse = (reason: string): never => {
      throw new RangeError(`${rule.name}: ${reason}`)
    }
    if (outside.length > 0) {
      const [selected, other] = [inside[0], outside[0]].map((i) => group.names[i])
      refuse(
        `${selected} shares its options with ${other}; pass it as a group of its own to the constructor`,
      )
    }
    const options = completeOptions(rule, [group.options, checkedOptions(rule, changes)], updates)
    if (`${rule.stateNames(options)}` !== `${rule.stateNames(group.options)}`) {
      refuse(`${Object.keys(changes)} selects the optimizer state and cannot change`)
    }
    return { group, options }
  })
}
