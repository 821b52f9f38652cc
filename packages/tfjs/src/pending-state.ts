import {
  Optimizer as CoreOptimizer,
  type LoadReport,
  optionsAfterReport,
  type ParameterState,
  type Selector,
  selects,
  startSchedules,
  type UpdateRule,
} from '@diffgrad/core'
import { keep, type Tensor } from '@tensorflow/tfjs-core'
import { dryRunBackend } from './backend.ts'

type SavedOptions = ParameterState['options']

/**
 * The loaded optimizer state of variables that are not registered yet, by parameter name. It owns its
 * tensors, and its options change as those of registered variables do.
 */
export class PendingState {
  readonly #rules: readonly UpdateRule[]
  #parameters: Readonly<Record<string, ParameterState<Tensor>>> = {}

  /** @param rules - that of the optimizer, and those of its groups. */
  constructor(rules: readonly UpdateRule[]) {
    this.#rules = rules
  }

  /** The parameter names, in the order of the loaded state. */
  get names(): readonly string[] {
    return Object.keys(this.#parameters)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#parameters, name)
  }

  /** The state of a parameter itself, not a copy. */
  get(name: string): ParameterState<Tensor> {
    return this.#parameters[name]
  }

  /** The options of every parameter. */
  get options(): readonly SavedOptions[] {
    return Object.values(this.#parameters).map(({ options }) => options)
  }

  /** Clones of the state. The caller disposes of them. */
  clones(): readonly (readonly [name: string, state: ParameterState<Tensor>])[] {
    return Object.entries(this.#parameters).map(([name, saved]) => [
      name,
      mapTensors(saved, (tensor) => tensor.clone()),
    ])
  }

  /**
   * Replaces the state by clones of a loaded one.
   *
   * @param isDropped - whether an array of the state is of no use to the optimizer.
   */
  replace(
    loaded: readonly (readonly [name: string, state: ParameterState<Tensor>])[],
    isDropped: (slot: string) => boolean,
  ): void {
    this.dispose()
    this.#parameters = Object.fromEntries(
      loaded.map(([name, { state, ...rest }]) => {
        const kept = Object.entries(state).filter(([slot]) => !isDropped(slot))
        const saved = { ...rest, state: Object.fromEntries(kept) }
        return [name, mapTensors(saved, (tensor) => keep(tensor.clone()))]
      }),
    )
  }

  /** @throws RangeError if changes of options would change which arrays a rule needs. */
  checkChanges(changes: object, selector: Selector | undefined): void {
    this.#mapOptions(selector, (options, saved) => {
      const rule = ruleOf(this.#rules, saved) ?? this.#rules[0]
      const stateNames = (options: object): string =>
        // Options of the rule, checked when they were loaded; the optimizer checks the changes.
        `${rule.stateNames({ ...rule.defaults, ...options })}`
      if (stateNames(options) === stateNames({ ...options, ...changes })) return options
      throw new RangeError(
        `${rule.name}: ${Object.keys(changes)} selects the optimizer state and cannot change`,
      )
    })
  }

  /** Changes options, whose schedules start after so many updates. */
  set(changes: object, selector: Selector | undefined, updates: number): void {
    const started = startSchedules(changes, updates)
    this.#parameters = this.#mapOptions(selector, (options) => ({ ...options, ...started }))
  }

  /** Reports a loss, made after so many updates, to plateau schedules. */
  report(loss: number, updates: number): void {
    const report = { step: updates, loss }
    this.#parameters = this.#mapOptions(undefined, (options) => optionsAfterReport(options, report))
  }

  /** Disposes of the state of some parameters, by default of all, and forgets them. */
  dispose(names: readonly string[] = this.names): void {
    const disposed = new Set(names)
    const entries = Object.entries(this.#parameters)
    for (const [name, { state }] of entries) {
      if (disposed.has(name)) for (const tensor of Object.values(state)) tensor.dispose()
    }
    this.#parameters = Object.fromEntries(entries.filter(([name]) => !disposed.has(name)))
  }

  /** The state with changed options of the selected parameters, by default of all. */
  #mapOptions(
    selector: Selector | undefined,
    map: (options: SavedOptions, saved: ParameterState<Tensor>) => SavedOptions,
  ): Readonly<Record<string, ParameterState<Tensor>>> {
    const entries = Object.entries(this.#parameters).map(([name, saved]) => {
      const [{ shape } = { shape: undefined }] = Object.values(saved.state)
      const isSelected = !selector || selects(selector, { name, shape })
      return [name, isSelected ? { ...saved, options: map(saved.options, saved) } : saved]
    })
    return Object.fromEntries(entries)
  }
}

const mapTensors = (
  { state, ...rest }: ParameterState<Tensor>,
  map: (tensor: Tensor) => Tensor,
): ParameterState<Tensor> => {
  const entries = Object.entries(state).map(([slot, tensor]) => [slot, map(tensor)])
  return { ...rest, state: Object.fromEntries(entries) }
}

/** The rule of a saved parameter, if `rules` has it. The first of them is that of the state. */
const ruleOf = (
  rules: readonly UpdateRule[],
  { rule = rules[0].name }: ParameterState<Tensor>,
): UpdateRule | undefined => rules.find(({ name }) => name === rule)

/**
 * The saved parameters whose rule or options are not those of an optimizer, with the reason.
 *
 * @param rules - that of the optimizer, and those of its groups.
 * @throws TypeError, RangeError with the first reason if `strict`.
 */
export function parametersWithWrongOptions(
  rules: readonly UpdateRule[],
  saved: readonly (readonly [name: string, state: ParameterState<Tensor>])[],
  strict: boolean,
): LoadReport['mismatched'] {
  return saved.flatMap(([name, state]) => {
    try {
      const rule = ruleOf(rules, state)
      if (!rule) {
        throw new TypeError(
          `${rules[0].name}: the state has ${state.rule} as the rule of ${name}, but the optimizer has ${rules.map((one) => one.name).join()}`,
        )
      }
      // A state has options of any rule; the optimizer of core refuses those that are not of this one.
      new CoreOptimizer(dryRunBackend, rule, [], {}).set(state.options)
      return []
    } catch (error) {
      if (strict || !(error instanceof Error)) throw error
      return [{ name, reason: error.message }]
    }
  })
}
