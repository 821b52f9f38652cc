import type { Backend, SavedArray } from './backend.ts'
import { attempt, type Exchange, exchangeAsync, exchangeSync, type StepCall } from './exchange.ts'
import { GradientAccumulator, GradientMatcher, type Gradients } from './gradients.ts'
import {
  changedOptions,
  checkedByOne,
  checkedGroupedOptions,
  checkedSelector,
  checkSelections,
  type GroupedOptions,
  type GroupOptions,
  groupsOf,
  mapGroupedOptions,
  partition,
  rulesIn,
  type Selector,
  withoutNames,
} from './group-options.ts'
import { type Histogram, histogramsOf, type Inspection, inspectGradients } from './inspect.ts'
import {
  type CheckedState,
  checkState,
  type LoadOptions,
  type LoadReport,
  splitGroups,
  writeStates,
} from './load-state.ts'
import {
  checkedOptions,
  clone,
  continueSchedules,
  optionsAfterReport,
  separateSchedules,
  startSchedules,
} from './options.ts'
import { changedGroups, ParameterGroup, ParameterGroups } from './parameter-group.ts'
import { checkedParameters, type Parameter } from './parameters.ts'
import { anyFinite, checkOptions, checkRange, describe } from './ranges.ts'
import type { Communicator, GradientExchange } from './ranks.ts'
import type { Hyperparameters, PartialOptions, UpdateRule } from './rule.ts'
import { type SkippedSteps, type StateDict, savedNames, saveState } from './state-dict.ts'
import {
  addedStateNames,
  checkedTransforms,
  checkTransformsOf,
  checkWeightTransforms,
  splitTransforms,
  type Transforms,
} from './transforms/index.ts'
import {
  applyUpdate,
  checkSums,
  type GroupGradients,
  initializeWeights,
  type PreparedUpdate,
  prepareUpdates,
  startTrainingWeights,
  swapWithAverage,
} from './update.ts'

/** The options of an optimizer: those of its rule, parameter groups that override them, and transforms. */
export type OptimizerOptions<H, Name extends string = string> = PartialOptions<H> & {
  readonly [K in keyof Transforms]?: Transforms[K] | undefined
} & {
  /** Parameter groups. If several select a parameter, later ones override earlier ones. */
  readonly groups?: readonly GroupOptions<H, Name>[] | undefined
}

/**
 * The outcome of a call of `step`: it updated the parameters, accumulated the gradients for a later
 * call, or changed nothing because a gradient was not finite.
 */
export type StepOutcome = 'updated' | 'accumulated' | 'skipped'

/**
 * An optimizer on any backend: one rule with parameter groups, step counts, schedules, gradient and
 * weight transforms, and state dicts.
 *
 * @typeParam Name - the names of the parameters, and `Intermediate` those of the rule's intermediates:
 * types that list them make others an error. Parameters added later are not part of the type.
 */
export class Optimizer<
  T,
  H extends Hyperparameters = Hyperparameters,
  S = SavedArray,
  Name extends string = string,
  Intermediate extends string = string,
> {
  readonly rule: UpdateRule<H, string, Intermediate>
  readonly #backend: Backend<T, S>
  // Groups may have other rules, whose hyperparameters are not H.
  readonly #groups: ParameterGroups<T, Hyperparameters>
  readonly #matcher: GradientMatcher<T, Hyperparameters>
  #accumulator: GradientAccumulator<T, Hyperparameters>
  #options: GroupedOptions<Hyperparameters>
  #transforms: Transforms
  #updates = 0
  #skipped: SkippedSteps = { total: 0, consecutive: 0 }
  #swapped = false
  /** The exchange with the other ranks, if there are any. */
  #exchange: GradientExchange<T, Hyperparameters> | undefined
  /** Whether a call of `stepAsync` is in progress. */
  #stepping = false
  /** Whether the selectors of the groups are known to select parameters. */
  #selectionsChecked = false

  /**
   * @param parameters - the arrays to train. Gradients and state dicts refer to them by name.
   * @throws RangeError naming the first option that is unknown or out of range, or the first group that
   * selects no parameter. Without parameters, the first `step` checks what groups select.
   * @throws TypeError if options are not a plain object, two parameters have one name, or a shape is missing
   * that `centralize` needs.
   */
  constructor(
    backend: Backend<T, S>,
    rule: UpdateRule<H, string, Intermediate>,
    parameters: readonly Parameter<T, Name>[],
    options: OptimizerOptions<H, Name> = {},
  ) {
    checkOptions(rule.name, options)
    const { groups = [], ...others } = options
    const { transforms, rest } = splitTransforms(rule, others)
    this.rule = rule
    this.#backend = backend
    this.#options = checkedGroupedOptions<Hyperparameters>(rule, rest, groups)
    for (const one of this.#rules) {
      checkSums(backend, one, transforms)
      if (one !== rule) checkTransformsOf(one, transforms)
      checkWeightTransforms(one, transforms)
    }
    this.#transforms = transforms
    this.#accumulator = new GradientAccumulator(backend, transforms)
    this.#groups = new ParameterGroups(rule)
    this.#matcher = new GradientMatcher(rule, backend, this.#groups)
    const checked = checkedParameters(rule, parameters, transforms, () => false)
    if (checked.length > 0) this.checkSelections(checked)
    this.add(parameters)
  }

  /**
   * Adds parameters. Their own steps start from 1.
   *
   * @param options - options of their own, which override those of all groups. Their schedules start now.
   * By default they have the options of the optimizer and of the groups that select them.
   * @throws TypeError, RangeError as the constructor does. Then nothing has changed.
   */
  add(parameters: readonly Parameter<T>[], options: PartialOptions<H> = {}): void {
    const isTaken = (name: string): boolean => this.#groups.has(name)
    const added = checkedParameters(this.rule, parameters, this.#transforms, isTaken)
    const checked = checkedByOne(this.#rules, options).options
    const own = startSchedules(checked, this.#updates)
    const names = added.map(({ name }) => name)
    const changed =
      Object.keys(own).length > 0 ? changedOptions(this.#options, own, names) : this.#options
    const groups = partition(this.rule, added, changed).map((part) =>
      ParameterGroup.allocate(
        this.#backend,
        part,
        addedStateNames(part.rule, this.#transforms, this.#swapped),
      ),
    )
    this.#groups.add(groups)
    this.#options = changed
    if (this.#updates > 0 || this.#swapped)
      initializeWeights(this.#backend, groups, this.#transforms)
    if (this.#swapped) startTrainingWeights(this.#backend, groups)
  }

  /**
   * Removes parameters and their state. The arrays of the parameters stay as they are. The lists of names
   * in the groups of `options` lose the removed names, so that a parameter of the same name that is added
   * later has the options of a new one; patterns and functions still select it.
   *
   * @throws RangeError if a name is unknown, or no parameter is selected. Then nothing has changed.
   */
  remove(parameters: Selector<Name>): void {
    const selected = this.#groups.select(checkedSelector(this.rule, parameters))
    const rest = [...selected].map(([group, { outside }]) => {
      return [group, outside.length > 0 ? [group.select(outside)] : []] as const
    })
    const names = [...selected].flatMap(([group, { inside }]) => inside.map((i) => group.names[i]))
    this.#groups.replace(new Map(rest))
    this.#options = withoutNames(this.#options, new Set(names))
    const unused = [...selected].flatMap(([{ state }, { inside }]) =>
      Object.values(state).flatMap((arrays) => inside.map((i) => arrays[i])),
    )
    const removed = [...selected].flatMap(([{ theta }, { inside }]) => inside.map((i) => theta[i]))
    this.#backend.free?.(unused, removed)
  }

  /**
   * Replaces the array of a parameter by another one, of any length, as where the points of a model are
   * split and pruned. Its step count and its options stay.
   *
   * @param mapState - the new elements of each array of its state, such as `m`, `v` or `ema`, from a copy
   * of the old ones.
   * @throws RangeError if no parameter has this name. @throws TypeError if new elements are not of the
   * type and length of the new array. Then nothing has changed.
   */
  replace(parameter: Parameter<T, Name>, mapState: (elements: S, stateName: string) => S): void {
    const parameters = checkedParameters(this.rule, [parameter], this.#transforms, () => false)
    const { name, value } = parameter
    const { group, position } = this.#groups.find(name)
    if (typeof mapState !== 'function') {
      throw new TypeError(
        `${this.rule.name}: replace needs a function that maps the state of ${name}, but has ${describe(mapState)}`,
      )
    }
    const required = this.#backend.signature(this.#backend.read(value))
    const mapped = savedNames(group, position).map((stateName) => {
      const elements = mapState(this.#backend.read(group.state[stateName][position]), stateName)
      const actual = this.#backend.signature(elements)
      if (actual !== required) {
        throw new TypeError(
          `${this.rule.name}: the new ${stateName} of ${name} must be ${required}, but is ${actual}`,
        )
      }
      return [stateName, elements] as const
    })
    const part = { rule: group.rule, options: group.options, parameters }
    const replacement = ParameterGroup.allocate(
      this.#backend,
      part,
      addedStateNames(group.rule, this.#transforms, this.#swapped),
    )
    for (const [stateName, elements] of mapped) {
      this.#backend.write(replacement.state[stateName][0], elements)
    }
    this.#groups.replace(new Map([[group, [group.replace(position, replacement)]]]))
    const unused = Object.values(group.state).map((arrays) => arrays[position])
    const previous = group.theta[position]
    this.#backend.free?.(unused, previous === value ? [] : [previous])
  }

  /**
   * Checks that every group selects a parameter, unless it is `optional`. The constructor does so if it has
   * parameters, otherwise the first `step`.
   *
   * @param candidates - arrays that may be added later, for adapters that add them with their gradients.
   * @throws RangeError naming the first selector that lists an unknown name, or selects nothing.
   */
  checkSelections(candidates: readonly Pick<Parameter<T>, 'name' | 'shape'>[] = []): void {
    if (this.#selectionsChecked) return
    checkSelections(this.rule, this.#options, [...this.#groups.parameters, ...candidates])
    this.#selectionsChecked = true
  }

  /** The rule of the optimizer, and those of its groups. */
  get #rules(): readonly UpdateRule<Hyperparameters>[] {
    return rulesIn<Hyperparameters>(this.rule, this.#options.groups)
  }

  /** The number of updates. */
  get updates(): number {
    return this.#updates
  }

  /** The steps that `skipNotFinite` has skipped, equal on all ranks. */
  get skipped(): SkippedSteps {
    return { ...this.#skipped }
  }

  /**
   * Takes one step. The gradients are read during the call and not kept. With `accumulate: n`, every
   * nth call updates the parameters.
   *
   * @throws RangeError naming an unknown parameter, a gradient that does not fit its parameter, a
   * scheduled hyperparameter that is out of range, or a group that selects no parameter. Then nothing has
   * changed.
   * @throws Error while the weights are swapped with their average; or naming the gradients that are not finite, if
   * `skipNotFinite` has skipped as many steps in a row as its `limit`.
   */
  step(gradients: Gradients<T, Name>): StepOutcome {
    this.#checkNotStepping()
    return exchangeSync(this.#exchange?.communicator, this.#step(gradients))
  }

  /**
   * As `step`, but the event loop runs while this rank waits for others. Until it resolves, no other method
   * may be called.
   */
  async stepAsync(gradients: Gradients<T, Name>): Promise<StepOutcome> {
    this.#checkNotStepping()
    this.#stepping = true
    try {
      return await exchangeAsync(this.#exchange?.communicator, this.#step(gradients))
    } finally {
      this.#stepping = false
    }
  }

  /**
   * Counts a step that was skipped. For adapters that find out after a step that gradients were not finite, and
   * restore the state before it.
   *
   * @param names - the parameters whose gradients are not finite, as far as they are known.
   * @throws Error if as many steps in a row as the limit were skipped before.
   */
  countSkipped(names: readonly string[] = []): 'skipped' {
    const { skipNotFinite } = this.#transforms
    const { total, consecutive } = this.#skipped
    if (typeof skipNotFinite === 'object' && consecutive >= skipNotFinite.limit) {
      const which = names.length > 0 ? names.join(', ') : 'some parameters'
      throw new Error(
        `${this.rule.name}: skipped steps in a row must be at most ${consecutive}, the limit of skipNotFinite, but the gradients of ${which} are not finite again`,
      )
    }
    this.#skipped = { total: total + 1, consecutive: consecutive + 1 }
    return 'skipped'
  }

  /**
   * Makes this optimizer one of several, on as many ranks, that train one model on different batches: from
   * the next step on, an update uses the mean of the gradients of all ranks. It equals that of one optimizer
   * with the same option `accumulate`, whose calls of `step` the ranks share: call t · size + rank is the
   * call t of a rank. If `accumulate` is the number of ranks, and there are two, or the communicator adds
   * arrays in the order of ranks, both are equal bit for bit. Otherwise they add gradients in another order,
   * and differ by its rounding.
   *
   * Each rank starts with the same parameters, options and state, calls the same methods in the same order,
   * and has gradients of the same parameters; the first difference that a step finds is an error on all ranks.
   * With `skipNotFinite`, gradients that are not finite on any rank skip the step on all.
   *
   * @throws RangeError unless `accumulate` is a multiple of the number of ranks, or if the backend keeps
   * gradients on a device.
   * @throws TypeError if the argument is no Communicator.
   */
  distribute(communicator: Communicator): void {
    if (typeof communicator?.gradientExchange !== 'function') {
      throw new TypeError(
        `${this.rule.name}: distribute needs a Communicator, but has ${describe(communicator)}`,
      )
    }
    const exchange = communicator.gradientExchange(this.rule, this.#backend, this.#groups)
    const { pending, ranks } = this.#accumulator
    exchange.checkAccumulation(this.#transforms.accumulate, pending * ranks)
    this.#exchange = communicator.size > 1 ? exchange : undefined
    this.#shareAccumulation(pending * ranks)
  }

  /**
   * The intermediates of the rule, such as `xi`, and the `effectiveStep` of each element, without weight
   * decay, if these gradients alone made the next update. Changes nothing and ignores accumulated
   * gradients.
   *
   * @throws RangeError as `step` does.
   */
  inspect<N extends Name>(gradients: Gradients<T, N>): Inspection<S, N, Intermediate> {
    const copies = this.#accumulator.transformedCopies(this.#matcher.match(gradients))
    const prepared = this.#prepare(copies)
    // It has the intermediates of the rule, of each parameter with a gradient.
    return inspectGradients(this.#backend, prepared) as Inspection<S, N, Intermediate>
  }

  /**
   * Histograms of the values of `inspect`, each over all parameters with a gradient. To sample, pass the
   * gradients of some parameters.
   *
   * @param edges - by name: `{ xi: [0, 0.25, 0.5, 0.75, 1] }`.
   * @throws RangeError as `step` does, if a name is unknown, or if edges do not increase.
   */
  histograms(
    this: Optimizer<T, H, SavedArray, Name, Intermediate>,
    gradients: Gradients<T, Name>,
    edges: Readonly<Record<string, readonly number[]>>,
  ): Readonly<Record<string, Histogram>> {
    return histogramsOf(this.rule, this.inspect(gradients), edges)
  }

  /**
   * The hyperparameters of a parameter at its next step, with schedules replaced by their values: those of the
   * rule of its group.
   *
   * @throws RangeError if no parameter has this name.
   */
  hyperparameters(parameter: Name): H {
    // Those of another rule, if its group has one: the names of parameters do not tell which.
    return { ...this.#hyperparametersOf(this.#groups.find(parameter).group) } as H
  }

  /**
   * The optimizer state of a parameter: the arrays of the rule, and `slow` and `ema` weights. Not copies:
   * the next step changes them.
   *
   * @throws RangeError if no parameter has this name.
   */
  state(parameter: Name): Readonly<Record<string, T>> {
    const { group, position } = this.#groups.find(parameter)
    const entries = Object.entries(group.state).map(([name, arrays]) => [name, arrays[position]])
    return Object.fromEntries(entries)
  }

  /**
   * A copy of the options of the constructor with all changes by `set` and `add`. Options loaded from a
   * state dict are not included: a state dict has the options of each parameter, but no selectors. A load of
   * a part of a state adds groups of the parameters that keep schedules of their own.
   * Schedules that were set later have a `startStep`, and a plateau has its progress.
   */
  get options(): OptimizerOptions<H, Name> {
    const transforms = checkedTransforms(this.rule.name, this.#transforms) // A copy.
    const options = {
      ...transforms,
      ...clone(this.#options.common),
      groups: groupsOf(this.#options),
    }
    // OptimizerOptions are these three together.
    return options as unknown as OptimizerOptions<H, Name>
  }

  /**
   * Changes options from the next step on, of all parameters or of the selected ones, including parameters
   * added later. A new schedule starts at the next update, unless it has a `startStep`: see `startAt`. A
   * plateau schedule sees the losses that are reported from then on.
   *
   * @throws TypeError if changes are no plain object.
   * @throws RangeError if an option is unknown, out of range, or selects the optimizer state; if no
   * parameter is selected, or only a part of a group. Then nothing has changed.
   */
  set(changes: PartialOptions<H>, parameters?: Selector<Name>): void {
    const selector = parameters === undefined ? undefined : checkedSelector(this.rule, parameters)
    const checked = checkedByOne(this.#rules, changes).options
    if (!selector) for (const rule of this.#rules) checkedOptions(rule, changes)
    const started = startSchedules(checked, this.#updates)
    const options = changedOptions(this.#options, started, selector)
    if (this.#groups.isEmpty) {
      checkedGroupedOptions<Hyperparameters>(this.rule, options.common, groupsOf(options))
    } else {
      const all = (): boolean => true
      const changed = changedGroups(this.#groups, started, selector ?? all, this.#updates)
      for (const { group, options } of changed) group.options = options
    }
    this.#options = options
  }

  /**
   * Reports the loss of the current weights, or another figure that should fall, to plateau schedules.
   *
   * @throws RangeError if it is not finite.
   */
  report(loss: number): void {
    checkRange(this.rule.name, 'the reported loss', loss, anyFinite)
    const report = { step: this.#updates, loss }
    for (const group of this.#groups) {
      const options = optionsAfterReport(group.options, report)
      if (options !== group.options) group.options = options
    }
    this.#options = mapGroupedOptions(this.#options, (options) =>
      optionsAfterReport(options, report),
    )
  }

  /**
   * Swaps the weights with their average: the EMA, or the evaluation point of the rule. A second call swaps them
   * back, bit for bit; also after the state was saved and loaded in between.
   *
   * @throws Error without the option `ema`, unless the rule has an evaluation point.
   * @throws RangeError naming a parameter whose array is detached or has another length.
   */
  swapAverage(): void {
    if (!this.#transforms.ema && !this.#rules.some(({ evaluationPoint }) => evaluationPoint)) {
      throw new Error(
        `${this.rule.name}: swapAverage needs the option ema, or a rule with an evaluation point`,
      )
    }
    swapWithAverage(this.#backend, this.#groups, this.#transforms, this.#swapped)
    this.#swapped = !this.#swapped
  }

  /**
   * A copy of the whole state except the parameters, from which training resumes exactly, on any number of
   * ranks.
   *
   * @throws Error on one of several ranks between the calls of an update, whose gradients they share.
   */
  stateDict(): StateDict<S> {
    if (this.#exchange && this.#accumulator.pending > 0) {
      throw new Error(
        `${this.rule.name}: several ranks cannot save between the calls of an update; call step until it returns updated`,
      )
    }
    return saveState<T, Hyperparameters, S>(this.rule, this.#backend, this.#groups, {
      updates: this.#updates,
      accumulated: this.#accumulator.pending,
      skipped: this.#skipped,
      swapped: this.#swapped,
      transforms: this.#transforms,
    })
  }

  /**
   * Loads a state dict, including the options of each parameter. The caller restores the parameters.
   *
   * @param options - how to treat a state with other parameters, or of other transforms. By default it must
   * have the same.
   * @returns what was not loaded.
   * @throws TypeError naming the first part that does not fit, or RangeError naming an option that is out
   * of range. Then nothing has changed.
   * @throws Error if some parameters would keep their state while the weights are swapped with their average.
   */
  loadStateDict(stateDict: StateDict<S>, options: LoadOptions = {}): LoadReport {
    const target = {
      rule: this.rule,
      rules: this.#rules,
      backend: this.#backend,
      groups: this.#groups,
      transforms: this.#transforms,
      updates: this.#updates,
      swapped: this.#swapped,
    }
    const checked = checkState(target, stateDict, options)
    for (const one of this.#rules) checkSums(this.#backend, one, checked.transforms)
    this.#exchange?.checkAccumulation(checked.transforms.accumulate, checked.accumulated)
    const loadedOptions = this.#optionsAfterLoad(checked)
    const { replacements, unused } = splitGroups(target, checked)
    if (replacements.size > 0) this.#groups.replace(replacements)
    writeStates(this.#backend, this.#groups, checked)
    this.#backend.free?.(unused, [])
    this.#transforms = checked.transforms
    this.#accumulator = new GradientAccumulator(this.#backend, checked.transforms)
    this.#shareAccumulation(checked.accumulated)
    this.#exchange?.compareAgain()
    this.#updates = checked.updates
    this.#skipped = checked.skipped
    this.#swapped = checked.swapped
    this.#options = loadedOptions
    return checked.report
  }

  /** The options with the schedules of the loaded parameters, and those of the kept ones by their names. */
  #optionsAfterLoad({
    groups,
    addedUpdates,
  }: CheckedState<T, Hyperparameters, S>): GroupedOptions<Hyperparameters> {
    const loaded = groups.flatMap((group) => group.loaded.map(({ options }) => options))
    const partial = groups.filter(({ kept }) => kept.length > 0)
    const shift = partial.length > 0 ? addedUpdates : 0
    let options = mapGroupedOptions(this.#options, (own) => continueSchedules(own, loaded, shift))
    for (const { group, kept } of partial) {
      const separate = separateSchedules(group.options, loaded, shift)
      if (Object.keys(separate).length === 0) continue
      const names = kept.map((i) => group.names[i])
      options = changedOptions(options, separate, names)
    }
    return options
  }

  #hyperparametersOf(group: ParameterGroup<T, Hyperparameters>): Hyperparameters {
    return group.hyperparameters(this.#updates)
  }

  /** Checks the gradients of a step, and all else that can be checked before it. */
  #matchStep(gradients: Gradients<T, Name>): StepCall<T, Hyperparameters> {
    if (this.#swapped) {
      throw new Error(
        `${this.rule.name}: cannot step while the weights are swapped with their average`,
      )
    }
    const matched = this.#matcher.match(gradients)
    if (!this.#selectionsChecked && !this.#groups.isEmpty) {
      this.checkSelections()
    }
    for (const group of this.#groups) this.#hyperparametersOf(group)
    return { matched, finite: !this.#transforms.skipNotFinite || this.#allFinite(matched) }
  }

  #checkNotStepping(): void {
    if (this.#stepping) {
      throw new Error(`${this.rule.name}: cannot step before stepAsync has resolved`)
    }
  }

  /** A step, together with the other ranks if there are any. */
  *#step(gradients: Gradients<T, Name>): Exchange<StepOutcome> {
    const match = (): StepCall<T, Hyperparameters> => this.#matchStep(gradients)
    const { consecutive } = this.#skipped
    const exchange = this.#exchange
    const { matched, finite } = exchange
      ? yield* exchange.compare(attempt(match), this.#updates, consecutive)
      : match()
    if (!finite) {
      const names = this.#notFinite(matched)
      return this.countSkipped(names.length > 0 ? names : ['another rank'])
    }
    if (consecutive > 0) this.#skipped = { ...this.#skipped, consecutive: 0 }
    const due = this.#accumulator.add(matched)
    if (!due) return 'accumulated'
    if (exchange) yield* exchange.sum(due)
    return this.#updateBy(due)
  }

  /** Updates the parameters by accumulated gradients. */
  #updateBy(due: readonly GroupGradients<T, Hyperparameters>[]): StepOutcome {
    this.#accumulator.transform(due)
    const prepared = this.#prepare(due)
    initializeWeights(this.#backend, this.#groups, this.#transforms)
    for (const update of prepared) applyUpdate(this.#backend, update, this.#transforms)
    this.#updates++
    return 'updated'
  }

  /**
   * Divides the accumulated calls among the ranks. The first one has their gradients: those of the others are
   * replaced by their next ones.
   */
  #shareAccumulation(accumulated: number): void {
    const { rank, size } = this.#exchange?.communicator ?? { rank: 0, size: 1 }
    this.#accumulator.ranks = size
    this.#accumulator.pending = accumulated / size
    if (rank > 0) for (const group of this.#groups) group.pending.fill(false)
  }

  #allFinite(matched: readonly GroupGradients<T, Hyperparameters>[]): boolean {
    return matched.every(({ gradients }) =>
      gradients.every((gradient) => Number.isFinite(this.#backend.norm(gradient))),
    )
  }

  /** The names of the parameters whose gradients are not finite. */
  #notFinite(matched: readonly GroupGradients<T, Hyperparameters>[]): readonly string[] {
    return matched.flatMap(({ group, positions, gradients }) =>
      positions
        .filter((_, k) => !Number.isFinite(this.#backend.norm(gradients[k])))
        .map((i) => group.names[i]),
    )
  }

  /** Does everything that can fail before any array changes. */
  #prepare(
    gradients: readonly GroupGradients<T, Hyperparameters>[],
  ): readonly PreparedUpdate<T, Hyperparameters>[] {
    return prepareUpdates(this.#backend, gradients, this.#transforms, (group) =>
      this.#hyperparametersOf(group),
    )
  }
}
