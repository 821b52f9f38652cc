import { captureSlow, followSlow } from './averaging/lookahead.ts'
import { captureAverage, exchangeAverage, followAverage } from './averaging/moving-average.ts'
import type { Backend, Saved } from './backend.ts'
import { Gathering } from './gradient/gathering.ts'
import { type Gradients, Sorting } from './gradient/sorting.ts'
import { alike, Group, type Some } from './group.ts'
import type { Kernel } from './kernel.ts'
import {
  type GroupSettings,
  type Parameter,
  partition,
  type Selector,
  selects,
} from './parameter-groups.ts'
import type { CommonOptions, Settings, UpdateRule } from './rule.ts'
import type { Report } from './schedules/schedule.ts'
import { optionsAt, settingsOf } from './settings.ts'
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

/** The values inside the rule, as `inspect` shows them: of each name, one array a parameter. */
export type Inspection = Readonly<Record<string, Readonly<Record<string, Saved>>>>

/**
 * The conductor of all backends: parameter groups, step counters, schedules, accumulation, clipping,
 * Lookahead, weight averages and saved state, around one rule.
 */
export class Optimizer<T, O extends CommonOptions = CommonOptions> {
  /** The rule it follows. */
  readonly rule: UpdateRule<O>
  readonly #backend: Backend<T>
  readonly #groups: readonly Group<T, O>[]
  readonly #surroundings: Surroundings
  readonly #gathering: Gathering<T, O>
  readonly #sorting: Sorting<T, O>
  #updates = 0
  #swapped = false
  #reports: readonly Report[] = []

  /**
   * @param parameters - what is trained; names are what gradients and states go by.
   * @throws RangeError naming the first option that is unknown or out of range.
   * @throws TypeError if two parameters have one name.
   */
  constructor(
    backend: Backend<T>,
    rule: UpdateRule<O>,
    parameters: readonly Parameter<T>[],
    { groups = [], ...options }: OptimizerOptions<O> = {},
  ) {
    const { surroundings, rest } = splitSurroundings(rule, options)
    this.rule = rule
    this.#backend = backend
    this.#surroundings = surroundings
    this.#gathering = new Gathering(backend, surroundings)
    const names = uniqueNames(rule, parameters)
    const partitions = partition<T, O>(rule, parameters, rest, groups)
    for (const { settings } of partitions) optionsAt(rule, settings, 0, [])
    const needs = [
      ...(this.#gathering.needsMemory ? ['gradient'] : []),
      ...(surroundings.lookahead ? ['slow'] : []),
      ...(surroundings.averageWeights ? ['average'] : []),
    ]
    this.#groups = partitions.map((part) => new Group(backend, rule, part, needs))
    this.#sorting = new Sorting(rule, backend, this.#groups, names)
    if (surroundings.lookahead) this.#applyToAll(captureSlow)
    if (surroundings.averageWeights) this.#applyToAll(captureAverage)
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
    const options = new Map(this.#groups.map((group) => [group, this.#optionsOf(group)]))
    if (this.#surroundings.skipNotFinite && !this.#finite(given)) return 'skipped'
    const ready = this.#gathering.add(given)
    if (!ready) return 'accumulated'
    for (const some of ready.flatMap(alike)) {
      const { group, positions, gradients, step } = some
      const { update, coefficients } = group.kernels(options.get(group) as O, step + 1)
      this.#backend.apply(update, group.lists(positions, gradients), coefficients, step + 1)
      for (const i of positions) group.steps[i] = step + 1
    }
    this.#updates++
    this.#average()
    return 'updated'
  }

  /**
   * What the rule would do with these gradients: its inner values, such as `xi`, and the
   * `effectiveStep` by which each element would move, before weight decay. Nothing is moved.
   *
   * @throws RangeError as `step` does.
   */
  inspect(gradients: Gradients<T>): Inspection {
    const found: Record<string, Record<string, Saved>> = {}
    const copies = this.#gathering.copy(this.#sorting.sort(gradients))
    for (const { group, positions, gradients, step } of copies.flatMap(alike)) {
      const { inspect, coefficients } = group.kernels(this.#optionsOf(group), step + 1)
      const lists = group.lists(positions, gradients)
      const shown = this.#backend.scratch(gradients, inspect.writes)
      this.#backend.apply(inspect, { ...lists, ...shown }, coefficients)
      for (const [name, arrays] of Object.entries(shown)) {
        const values = arrays.map((array, k) => [
          group.parameters[positions[k]].name,
          this.#backend.read(array),
        ])
        found[name] = { ...found[name], ...Object.fromEntries(values) }
      }
    }
    return found
  }

  /** The hyperparameters of a parameter at its next step, schedules resolved. */
  options(parameter: string): O {
    const group = this.#groups.find(({ parameters }) =>
      parameters.some(({ name }) => name === parameter),
    )
    if (!group) throw new RangeError(`${this.rule.name}: no parameter is called ${parameter}`)
    return this.#optionsOf(group)
  }

  /**
   * Changes settings from the next step on, of all parameters or of some.
   *
   * @throws RangeError if a setting is unknown, out of range, or would change what is remembered;
   * or if only a part of a group is selected. Then nothing has changed.
   */
  set(changes: Partial<Settings<O>>, parameters: Selector = () => true): void {
    const { rule } = this
    const changed = this.#groups.flatMap((group) => {
      const selected = group.parameters.filter((parameter) => selects(parameters, parameter))
      if (selected.length === 0) return []
      if (selected.length < group.parameters.length) {
        const other = group.parameters.find((parameter) => !selected.includes(parameter))
        throw new RangeError(
          `${rule.name}: ${selected[0].name} shares its settings with ${other?.name}; make it a group`,
        )
      }
      const settings = settingsOf(rule, group.settings, changes)
      optionsAt(rule, settings, this.#updates, this.#reports)
      if (`${rule.slots(settings)}` !== `${rule.slots(group.settings)}`) {
        throw new RangeError(
          `${rule.name}: ${Object.keys(changes)} decides what is remembered and cannot change`,
        )
      }
      return [{ group, settings }]
    })
    for (const { group, settings } of changed) group.settings = settings
  }

  /**
   * Tells plateau schedules the loss, or any figure that should fall, of the weights as they are.
   *
   * @throws RangeError if it is NaN.
   */
  report(loss: number): void {
    if (Number.isNaN(loss)) throw new RangeError(`${this.rule.name}: the reported loss is NaN`)
    this.#reports = [...this.#reports, { step: this.#updates, loss }]
  }

  /**
   * Exchanges the weights and their moving average; again, and they are back.
   *
   * @throws Error if there is no average, for want of the option `averageWeights`.
   */
  swapAverage(): void {
    if (!this.#surroundings.averageWeights) {
      throw new Error(`${this.rule.name}: keeps no average, for want of the option averageWeights`)
    }
    this.#applyToAll(exchangeAverage)
    this.#swapped = !this.#swapped
  }

  /** Everything but the parameters themselves that it takes to go on as if never interrupted. */
  stateDict(): StateDict {
    return capture(this.rule, this.#backend, this.#groups, {
      updates: this.#updates,
      accumulated: this.#gathering.waiting,
      swapped: this.#swapped,
      reports: this.#reports,
    })
  }

  /**
   * Goes back to a saved state. The parameters themselves are the caller's to restore.
   *
   * @throws TypeError naming the first thing in the state that does not fit. Then nothing has changed.
   */
  loadStateDict(state: StateDict): void {
    restore(this.rule, this.#backend, this.#groups, this.#surroundings, state)
    this.#updates = state.updates
    this.#gathering.waiting = state.accumulated
    this.#swapped = state.swapped
    this.#reports = [...state.reports]
  }

  #optionsOf(group: Group<T, O>): O {
    return optionsAt(this.rule, group.settings, this.#updates, this.#reports)
  }

  #finite(given: readonly Some<T, O>[]): boolean {
    return given.every(({ gradients }) =>
      gradients.every((gradient) => Number.isFinite(this.#backend.norm(gradient))),
    )
  }

  #average(): void {
    const { lookahead, averageWeights } = this.#surroundings
    if (lookahead && this.#updates % lookahead.every === 0) {
      this.#applyToAll(followSlow, { alpha: lookahead.alpha })
    }
    if (averageWeights) {
      this.#applyToAll(followAverage, { oneMinusDecay: 1 - averageWeights.decay })
    }
  }

  #applyToAll(kernel: Kernel, coefficients: Readonly<Record<string, number>> = {}): void {
    for (const group of this.#groups) {
      const all = group.parameters.map((_, i) => i)
      this.#backend.apply(kernel, group.lists(all), coefficients)
    }
  }
}

function uniqueNames<T>(
  rule: { readonly name: string },
  parameters: readonly Parameter<T>[],
): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { name } of parameters) {
    if (names.has(name)) throw new TypeError(`${rule.name}: two parameters are called ${name}`)
    names.add(name)
  }
  return names
}
