import { captureSlow, followSlow } from './averaging/lookahead.ts'
import { captureAverage, exchangeAverage, followAverage } from './averaging/moving-average.ts'
import type { Backend, Saved } from './backend.ts'
import { GradientAccumulator } from './gradient/accumulator.ts'
import { GradientMatcher, type Gradients } from './gradient/match.ts'
import {
  alike,
  type Equations,
  Group,
  type GroupGradients,
  type SameStepGradients,
} from './group.ts'
import type { Histogram } from './histogram.ts'
import { histogramsOf, type Inspection, inspection } from './inspection.ts'
import type { Kernel } from './kernel.ts'
import {
  type GroupingOptions,
  type GroupSettings,
  partition,
  type Selector,
} from './parameter-groups.ts'
import { checkParameters, type Parameter } from './parameters.ts'
import { anyFinite, mustHold } from './ranges.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import type { Report } from './schedules/schedule.ts'
import { changedOptions, changedSettings, definedChanges } from './setting-changes.ts'
import { optionsAt } from './settings.ts'
import { capture, restore, type StateDict } from './state.ts'
import { type Surroundings, splitSurroundings } from './surroundings.ts'

/** Everything that an optimizer can be told: hyperparameters, exceptions from them, surroundings. */
export type OptimizerOptions<O> = Partial<Settings<O>> &
  Partial<Surroundings> & {
    /** Settings for some parameters only; where several apply, the last has the last word. */
    readonly groups?: readonly GroupSettings<O>[]
  }

/**
 * What a call of `step` did: moved the parameters, kept the gradients for a later call, or nothing,
 * because a gradient was not finite.
 */
export type StepOutcome = 'updated' | 'accumulated' | 'skipped'

/**
 * The conductor of all backends: parameter groups, step counters, schedules, accumulation, clipping,
 * Lookahead, weight averages and saved state, around one rule.
 */
export class Optimizer<T, O extends CommonOptions = CommonOptions, S = Saved> {
  /** The rule it follows. */
  readonly rule: UpdateRule<O>
  readonly #backend: Backend<T, S>
  #options: GroupingOptions<O>
  readonly #surroundings: Surroundings
  readonly #gathering: GradientAccumulator<T, O>
  #groups: readonly Group<T, O>[] = []
  #sorting: GradientMatcher<T, O>
  #updates = 0
  #swapped = false
  #begun = false
  readonly #reports: Report[] = []

  /**
   * @param parameters - what is trained; names are what gradients and states go by.
   * @throws RangeError naming the first option that is unknown or out of range.
   * @throws TypeError if two parameters have one name, or a shape is missing that `centralize` needs.
   */
  constructor(
    backend: Backend<T, S>,
    rule: UpdateRule<O>,
    parameters: readonly Parameter<T>[],
    { groups = [], ...options }: OptimizerOptions<O> = {},
  ) {
    const { surroundings, rest } = splitSurroundings(rule, options)
    this.rule = rule
    this.#backend = backend
    this.#options = { base: rest, groups }
    this.#surroundings = surroundings
    this.#gathering = new GradientAccumulator(backend, surroundings)
    this.#sorting = new GradientMatcher(rule, backend, [])
    this.add(parameters)
  }

  /**
   * Takes in more parameters, under the options of `configuration`. They join the updates that are to
   * come, and begin their own steps at the first.
   *
   * @throws TypeError, RangeError as the constructor does. Then nothing has changed.
   */
  add(parameters: readonly Parameter<T>[]): void {
    const { lookahead, averageWeights } = this.#surroundings
    const all = [...this.#groups.flatMap((group) => group.parameters), ...parameters]
    checkParameters(this.rule, all, this.#surroundings)
    const needs = [
      ...(this.#gathering.needsMemory ? ['gradient'] : []),
      ...(lookahead ? ['slow'] : []),
      ...(averageWeights ? ['average'] : []),
    ]
    const names = new Set(all.map(({ name }) => name))
    const added = partition(this.rule, parameters, this.#options, names).map((part) => {
      return new Group(this.#backend, this.rule, part, needs)
    })
    this.#groups = [...this.#groups, ...added]
    this.#sorting = new GradientMatcher(this.rule, this.#backend, this.#groups)
    if (this.#begun) this.#capture(added)
  }

  /** How many updates were made. */
  get updates(): number {
    return this.#updates
  }

  /**
   * Takes one step against the gradients, which are read and never kept. With `accumulate: n`, every
   * nth call moves the parameters.
   *
   * @throws RangeError naming an unknown parameter, or a gradient that does not fit its parameter; or
   * a scheduled hyperparameter that left its range. Then nothing has changed.
   * @throws Error while the weights are swapped for their average.
   */
  step(gradients: Gradients<T>): StepOutcome {
    if (this.#swapped) throw new Error(`${this.rule.name}: cannot step on averaged weights`)
    const given = this.#sorting.sort(gradients)
    for (const group of this.#groups) this.#optionsOf(group)
    if (this.#surroundings.skipNotFinite && !this.#finite(given)) return 'skipped'
    const ready = this.#gathering.add(given)
    if (!ready) return 'accumulated'
    const moves = ready.flatMap(alike).map((some) => this.#prepared(some))
    this.#begin()
    for (const move of moves) this.#move(move)
    this.#updates++
    return 'updated'
  }

  /**
   * What the rule would do with these gradients: its inner values, such as `xi`, and the
   * `effectiveStep` by which each element would move, before weight decay. Nothing is moved. Gradients
   * that wait for an update are left aside: these are taken for all of it.
   *
   * @throws RangeError as `step` does.
   */
  inspect(gradients: Gradients<T>): Inspection<S> {
    const copies = this.#gathering.copy(this.#sorting.sort(gradients))
    const prepared = copies.flatMap(alike).map((some) => this.#prepared(some))
    return inspection(this.#backend, prepared)
  }

  /**
   * The values of `inspect` counted between edges, of all parameters with a gradient together: give
   * gradients of some parameters for a sample.
   *
   * @param edges - by the names of inner values: `{ xi: [0, 0.25, 0.5, 0.75, 1] }`.
   * @throws RangeError as `step` does, if the rule has no such value, or if edges do not rise.
   */
  histograms(
    this: Optimizer<T, O>,
    gradients: Gradients<T>,
    edges: Readonly<Record<string, readonly number[]>>,
  ): Readonly<Record<string, Histogram>> {
    return histogramsOf(this.rule, this.inspect(gradients), edges)
  }

  /** The hyperparameters of a parameter at its next step, schedules resolved. */
  options(parameter: string): O {
    return this.#optionsOf(this.#find(parameter).group)
  }

  /**
   * The arrays themselves in which a parameter's memory is: the rule's slots, and `slow` and `average`
   * weights. The next step changes them.
   *
   * @throws RangeError if no parameter has this name.
   */
  memory(parameter: string): Readonly<Record<string, T>> {
    const { group, position } = this.#find(parameter)
    const entries = Object.entries(group.memory).map(([slot, arrays]) => [slot, arrays[position]])
    return Object.fromEntries(entries)
  }

  /**
   * The options that the optimizer was given, with all changes by `set`: another one would begin with
   * them as this one would. What a loaded state has changed is not among them, since a state knows
   * the settings of its parameters, but not how they are selected.
   */
  get configuration(): OptimizerOptions<O> {
    // OptimizerOptions are these three together.
    const options = { ...this.#surroundings, ...this.#options.base, groups: this.#options.groups }
    return options as unknown as OptimizerOptions<O>
  }

  /**
   * Changes settings from the next step on, of all parameters or of some, those to come included. A
   * schedule sees all steps and reports since the optimizer was made.
   *
   * @throws RangeError if a setting is unknown, out of range, or would change what is remembered;
   * if nothing is selected, or a part of a group. Then nothing has changed.
   */
  set(changes: Partial<Settings<O>>, parameters?: Selector): void {
    const defined = definedChanges(changes)
    const options = changedOptions(this.#options, defined, parameters)
    if (this.#groups.length === 0) {
      partition(this.rule, [], options, new Set())
    } else {
      const position = { updates: this.#updates, reports: this.#reports }
      const selector = parameters ?? (() => true)
      const changed = changedSettings(this.rule, this.#groups, defined, selector, position)
      for (const { group, settings } of changed) group.settings = settings
    }
    this.#options = options
  }

  /**
   * Tells plateau schedules the loss, or any figure that should fall, of the weights as they are.
   *
   * @throws RangeError if it is no finite number.
   */
  report(loss: number): void {
    mustHold(this.rule.name, 'the reported loss', loss, anyFinite)
    this.#reports.push({ step: this.#updates, loss })
  }

  /**
   * Exchanges the weights and their moving average; again, and they are back.
   *
   * @throws Error if there is no average, for want of the option `averageWeights`.
   * @throws RangeError naming a parameter that has lost its buffer, or its length.
   */
  swapAverage(): void {
    if (!this.#surroundings.averageWeights) {
      throw new Error(`${this.rule.name}: keeps no average, for want of the option averageWeights`)
    }
    for (const { names, theta, memory } of this.#groups) {
      for (const [i, value] of theta.entries()) {
        const mismatch = this.#backend.mismatch(value, memory.average[i])
        if (mismatch)
          throw new RangeError(`${this.rule.name}: the average of ${names[i]} ${mismatch}`)
      }
    }
    this.#begin()
    this.#applyToAll(exchangeAverage)
    this.#swapped = !this.#swapped
  }

  /** Everything but the parameters themselves that it takes to go on as if never interrupted. */
  stateDict(): StateDict<S> {
    return capture(this.rule, this.#backend, this.#groups, {
      updates: this.#updates,
      accumulate: this.#surroundings.accumulate,
      accumulated: this.#gathering.waiting,
      swapped: this.#swapped,
      reports: [...this.#reports],
    })
  }

  /**
   * Goes back to a saved state, the settings of its parameters included. The parameters themselves are
   * the caller's to restore.
   *
   * @throws TypeError naming the first thing in the state that does not fit; RangeError naming a
   * setting that is out of range. Then nothing has changed.
   */
  loadStateDict(state: StateDict<S>): void {
    restore(this.rule, this.#backend, this.#groups, this.#surroundings, state)
    this.#updates = state.updates
    this.#gathering.waiting = state.accumulated
    this.#swapped = state.swapped
    this.#begun = state.updates > 0 || state.swapped
    this.#reports.splice(0, this.#reports.length, ...state.reports)
  }

  #optionsOf(group: Group<T, O>): O {
    return optionsAt(this.rule, group.settings, this.#updates, this.#reports)
  }

  #finite(given: readonly GroupGradients<T, O>[]): boolean {
    return given.every(({ gradients }) =>
      gradients.every((gradient) => Number.isFinite(this.#backend.norm(gradient))),
    )
  }

  #find(parameter: string): { readonly group: Group<T, O>; readonly position: number } {
    for (const group of this.#groups) {
      const position = group.names.indexOf(parameter)
      if (position >= 0) return { group, position }
    }
    throw new RangeError(`${this.rule.name}: no parameter is called ${parameter}`)
  }

  #begin(): void {
    if (!this.#begun) this.#capture(this.#groups)
    this.#begun = true
  }

  /** Slow and average weights begin where the parameters are when they first count. */
  #capture(groups: readonly Group<T, O>[]): void {
    if (this.#surroundings.lookahead) this.#applyToAll(captureSlow, groups)
    if (this.#surroundings.averageWeights) this.#applyToAll(captureAverage, groups)
  }

  /** All that could refuse the next step of some parameters happens here. */
  #prepared(some: SameStepGradients<T, O>): SameStepGradients<T, O> & Equations {
    return { ...some, ...some.group.kernels(this.#optionsOf(some.group), some.step + 1) }
  }

  #move(prepared: SameStepGradients<T, O> & Equations): void {
    const { group, positions, gradients, step, update, coefficients } = prepared
    const { lookahead, averageWeights } = this.#surroundings
    const t = step + 1
    const lists = group.lists(positions, gradients)
    this.#backend.apply(update, lists, coefficients, t)
    for (const i of positions) group.steps[i] = t
    if (lookahead && t % lookahead.every === 0) {
      this.#backend.apply(followSlow, lists, { alpha: lookahead.alpha })
    }
    if (averageWeights) {
      this.#backend.apply(followAverage, lists, { oneMinusDecay: 1 - averageWeights.decay })
    }
  }

  #applyToAll(kernel: Kernel, groups = this.#groups): void {
    for (const group of groups) {
      const all = group.parameters.map((_, i) => i)
      this.#backend.apply(kernel, group.lists(all), {})
    }
  }
}
