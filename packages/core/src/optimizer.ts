import type { Backend, SavedArray } from './backend.ts'
import { GradientAccumulator, GradientMatcher, type Gradients } from './gradients.ts'
import {
  changedGroups,
  changedOptions,
  type GroupedOptions,
  type GroupGradients,
  type GroupOptions,
  ParameterGroup,
  partition,
  type SameStepGradients,
  type Selector,
  splitByStep,
} from './groups.ts'
import { type Histogram, histogramsOf, type Inspection, inspectGradients } from './inspect.ts'
import type { Kernel } from './kernel.ts'
import { checkParameters, type Parameter } from './parameters.ts'
import { anyFinite, checkRange } from './ranges.ts'
import type { Hyperparameters, RuleOptions, UpdateRule } from './rule.ts'
import type { StepKernels } from './rule-kernels.ts'
import type { LossReport } from './schedules/schedule.ts'
import { loadState, type StateDict, saveState } from './state-dict.ts'
import { emaInit, emaSwap, emaUpdate } from './transforms/ema.ts'
import { lookaheadInit, lookaheadSync } from './transforms/lookahead.ts'
import { splitTransforms, type Transforms, transformStateNames } from './transforms/transforms.ts'

/** The options of an optimizer: those of its rule, parameter groups that override them, and transforms. */
export type OptimizerOptions<H> = Partial<RuleOptions<H>> &
  Partial<Transforms> & {
    /** Parameter groups. If several select a parameter, later ones override earlier ones. */
    readonly groups?: readonly GroupOptions<H>[]
  }

/**
 * The outcome of a call of `step`: it updated the parameters, accumulated the gradients for a later
 * call, or changed nothing because a gradient was not finite.
 */
export type StepOutcome = 'updated' | 'accumulated' | 'skipped'

/**
 * An optimizer on any backend: one rule with parameter groups, step counts, schedules, gradient and
 * weight transforms, and state dicts.
 */
export class Optimizer<T, H extends Hyperparameters = Hyperparameters, S = SavedArray> {
  readonly rule: UpdateRule<H>
  readonly #backend: Backend<T, S>
  #options: GroupedOptions<H>
  readonly #transforms: Transforms
  readonly #accumulator: GradientAccumulator<T, H>
  #groups: readonly ParameterGroup<T, H>[] = []
  #matcher: GradientMatcher<T, H>
  #updates = 0
  #swapped = false
  /** Whether the slow weights and the EMA are initialized. */
  #initialized = false
  readonly #reports: LossReport[] = []

  /**
   * @param parameters - the arrays to train. Gradients and state dicts refer to them by name.
   * @throws RangeError naming the first option that is unknown or out of range.
   * @throws TypeError if two parameters have one name, or a shape is missing that `centralize` needs.
   */
  constructor(
    backend: Backend<T, S>,
    rule: UpdateRule<H>,
    parameters: readonly Parameter<T>[],
    { groups = [], ...options }: OptimizerOptions<H> = {},
  ) {
    const { transforms, rest } = splitTransforms(rule, options)
    this.rule = rule
    this.#backend = backend
    this.#options = { common: rest, groups }
    this.#transforms = transforms
    this.#accumulator = new GradientAccumulator(backend, transforms)
    this.#matcher = new GradientMatcher(rule, backend, [])
    this.add(parameters)
  }

  /**
   * Adds parameters, with the current options of the optimizer. Their own steps start from 1.
   *
   * @throws TypeError, RangeError as the constructor does. Then nothing has changed.
   */
  add(parameters: readonly Parameter<T>[]): void {
    const all = [...this.#groups.flatMap((group) => group.parameters), ...parameters]
    checkParameters(this.rule, all, this.#transforms)
    const names = new Set(all.map(({ name }) => name))
    const stateNames = transformStateNames(this.#transforms)
    const added = partition(this.rule, parameters, this.#options, names).map(
      (part) => new ParameterGroup(this.#backend, this.rule, part, stateNames),
    )
    this.#groups = [...this.#groups, ...added]
    this.#matcher = new GradientMatcher(this.rule, this.#backend, this.#groups)
    if (this.#initialized) this.#initializeWeights(added)
  }

  /** The number of updates. */
  get updates(): number {
    return this.#updates
  }

  /**
   * Takes one step. The gradients are read during the call and not kept. With `accumulate: n`, every
   * nth call updates the parameters.
   *
   * @throws RangeError naming an unknown parameter, a gradient that does not fit its parameter, or a
   * scheduled hyperparameter that is out of range. Then nothing has changed.
   * @throws Error while the weights are swapped with their EMA.
   */
  step(gradients: Gradients<T>): StepOutcome {
    if (this.#swapped) {
      throw new Error(`${this.rule.name}: cannot step while the weights are swapped with their EMA`)
    }
    const matched = this.#matcher.match(gradients)
    for (const group of this.#groups) this.#hyperparametersOf(group)
    if (this.#transforms.skipNotFinite && !this.#allFinite(matched)) return 'skipped'
    const due = this.#accumulator.add(matched)
    if (!due) return 'accumulated'
    const prepared = due.flatMap(splitByStep).map((sameStep) => this.#prepare(sameStep))
    this.#initialize()
    for (const update of prepared) this.#update(update)
    this.#updates++
    return 'updated'
  }

  /**
   * The intermediates of the rule, such as `xi`, and the `effectiveStep` of each element, without weight
   * decay, if these gradients alone made the next update. Changes nothing and ignores accumulated
   * gradients.
   *
   * @throws RangeError as `step` does.
   */
  inspect(gradients: Gradients<T>): Inspection<S> {
    const copies = this.#accumulator.transformedCopies(this.#matcher.match(gradients))
    const prepared = copies.flatMap(splitByStep).map((sameStep) => this.#prepare(sameStep))
    return inspectGradients(this.#backend, prepared)
  }

  /**
   * Histograms of the values of `inspect`, each over all parameters with a gradient. To sample, pass the
   * gradients of some parameters.
   *
   * @param edges - by name: `{ xi: [0, 0.25, 0.5, 0.75, 1] }`.
   * @throws RangeError as `step` does, if a name is unknown, or if edges do not increase.
   */
  histograms(
    this: Optimizer<T, H>,
    gradients: Gradients<T>,
    edges: Readonly<Record<string, readonly number[]>>,
  ): Readonly<Record<string, Histogram>> {
    return histogramsOf(this.rule, this.inspect(gradients), edges)
  }

  /**
   * The hyperparameters of a parameter at its next step, with schedules replaced by their values.
   *
   * @throws RangeError if no parameter has this name.
   */
  hyperparameters(parameter: string): H {
    return this.#hyperparametersOf(this.#find(parameter).group)
  }

  /**
   * The optimizer state of a parameter: the arrays of the rule, and `slow` and `ema` weights. Not copies:
   * the next step changes them.
   *
   * @throws RangeError if no parameter has this name.
   */
  state(parameter: string): Readonly<Record<string, T>> {
    const { group, position } = this.#find(parameter)
    const entries = Object.entries(group.state).map(([name, arrays]) => [name, arrays[position]])
    return Object.fromEntries(entries)
  }

  /**
   * The options of the constructor with all changes by `set`. A new optimizer with them starts as this one
   * would. Options loaded from a state dict are not included: a state dict has the options of each
   * parameter, but no selectors.
   */
  get options(): OptimizerOptions<H> {
    // OptimizerOptions are these three together.
    const options = { ...this.#transforms, ...this.#options.common, groups: this.#options.groups }
    return options as unknown as OptimizerOptions<H>
  }

  /**
   * Changes options from the next step on, of all parameters or of the selected ones, including parameters
   * added later. A new schedule counts all updates and reports since the optimizer was created.
   *
   * @throws RangeError if an option is unknown, out of range, or selects the optimizer state; if no
   * parameter is selected, or only a part of a group. Then nothing has changed.
   */
  set(changes: Partial<RuleOptions<H>>, parameters?: Selector): void {
    const defined = Object.fromEntries(
      Object.entries(changes).filter(([, value]) => value !== undefined),
    ) as Partial<RuleOptions<H>> // A subset of the changes.
    const options = changedOptions(this.#options, defined, parameters)
    if (this.#groups.length === 0) {
      partition(this.rule, [], options, new Set())
    } else {
      const counters = { updates: this.#updates, reports: this.#reports }
      const selector = parameters ?? (() => true)
      const changed = changedGroups(this.rule, this.#groups, defined, selector, counters)
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
    this.#reports.push({ step: this.#updates, loss })
  }

  /**
   * Swaps the weights with their EMA. A second call swaps them back.
   *
   * @throws Error without the option `ema`.
   * @throws RangeError naming a parameter whose array is detached or has another length.
   */
  swapEma(): void {
    if (!this.#transforms.ema) {
      throw new Error(`${this.rule.name}: swapEma needs the option ema`)
    }
    for (const { names, theta, state } of this.#groups) {
      for (const [i, value] of theta.entries()) {
        const mismatch = this.#backend.mismatch(value, state.ema[i])
        if (mismatch) throw new RangeError(`${this.rule.name}: the EMA of ${names[i]} ${mismatch}`)
      }
    }
    this.#initialize()
    this.#applyToAll(emaSwap)
    this.#swapped = !this.#swapped
  }

  /** A copy of the whole state except the parameters, from which training resumes exactly. */
  stateDict(): StateDict<S> {
    return saveState(this.rule, this.#backend, this.#groups, {
      updates: this.#updates,
      accumulate: this.#transforms.accumulate,
      accumulated: this.#accumulator.pending,
      swapped: this.#swapped,
      reports: [...this.#reports],
    })
  }

  /**
   * Loads a state dict, including the options of each parameter. The caller restores the parameters.
   *
   * @throws TypeError naming the first part that does not fit, or RangeError naming an option that is out
   * of range. Then nothing has changed.
   */
  loadStateDict(stateDict: StateDict<S>): void {
    loadState(this.rule, this.#backend, this.#groups, this.#transforms, stateDict)
    this.#updates = stateDict.updates
    this.#accumulator.pending = stateDict.accumulated
    this.#swapped = stateDict.swapped
    this.#initialized = stateDict.updates > 0 || stateDict.swapped
    this.#reports.splice(0, this.#reports.length, ...stateDict.reports)
  }

  #hyperparametersOf(group: ParameterGroup<T, H>): H {
    return group.hyperparameters(this.#updates, this.#reports)
  }

  #allFinite(matched: readonly GroupGradients<T, H>[]): boolean {
    return matched.every(({ gradients }) =>
      gradients.every((gradient) => Number.isFinite(this.#backend.norm(gradient))),
    )
  }

  #find(parameter: string): { readonly group: ParameterGroup<T, H>; readonly position: number } {
    for (const group of this.#groups) {
      const position = group.names.indexOf(parameter)
      if (position >= 0) return { group, position }
    }
    throw new RangeError(`${this.rule.name}: no parameter is called ${parameter}`)
  }

  #initialize(): void {
    if (!this.#initialized) this.#initializeWeights(this.#groups)
    this.#initialized = true
  }

  /** Slow weights and the EMA start at the parameters' values before their first update. */
  #initializeWeights(groups: readonly ParameterGroup<T, H>[]): void {
    if (this.#transforms.lookahead) this.#applyToAll(lookaheadInit, groups)
    if (this.#transforms.ema) this.#applyToAll(emaInit, groups)
  }

  /** Does everything that can fail before any array changes. */
  #prepare(sameStep: SameStepGradients<T, H>): SameStepGradients<T, H> & StepKernels {
    const { group, step } = sameStep
    return { ...sameStep, ...group.kernels(this.#hyperparametersOf(group), step + 1) }
  }

  #update(prepared: SameStepGradients<T, H> & StepKernels): void {
    const { group, positions, gradients, step, update, coefficients } = prepared
    const { lookahead, ema } = this.#transforms
    const t = step + 1
    const lists = group.lists(positions, gradients)
    this.#backend.apply(update, lists, coefficients, t)
    for (const i of positions) group.steps[i] = t
    if (lookahead && t % lookahead.every === 0) {
      this.#backend.apply(lookaheadSync, lists, { alpha: lookahead.alpha })
    }
    if (ema) this.#backend.apply(emaUpdate, lists, { oneMinusDecay: 1 - ema.decay })
  }

  #applyToAll(kernel: Kernel, groups = this.#groups): void {
    for (const group of groups) {
      const all = group.parameters.map((_, i) => i)
      this.#backend.apply(kernel, group.lists(all), {})
    }
  }
}
