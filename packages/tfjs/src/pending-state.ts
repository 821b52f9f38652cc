import {
  Optimizer as CoreOptimizer,
  type Hyperparameters,
  type LoadReport,
  optionsAfterReport,
  type ParameterState,
  type PartialOptions,
  type RuleOptions,
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
export class PendingState<H extends Hyperparameters> {
  readonly #rule: UpdateRule<H>
  #parameters: Readonly<Record<string, ParameterState<Tensor>>> = {}

  constructor(rule: UpdateRule<H>) {
    this.#rule = rule
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
    const stateNames = (options: object): string =>
      // Options of the rule, checked when they were loaded; the optimizer checks the changes.
      `${this.#rule.stateNames({ ...this.#rule.defaults, ...options } as RuleOptions<H>)}`
    this.#mapOptions(selector, (options) => {
      if (stateNames(options) === stateNames({ ...options, ...changes })) return options
      throw new RangeError(
        `${this.#rule.name}: ${Object.keys(changes)} selects the optimizer state and cannot change`,
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
    map: (options: SavedOptions) => SavedOptions,
  ): Readonly<Record<string, ParameterState<Tensor>>> {
    const entries = Object.entries(this.#parameters).map(([name, saved]) => {
      const [{ shape } = { shape: undefined }] = Object.values(saved.state)
      const isSelected = !selector || selects(selector, { name, shape })
      return [name, isSelected ? { ...saved, options: map(saved.options) } : saved]
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

/**
 * The saved parameters whose options are not those of the rule, with the reason.
 *
 * @throws RangeError with the first reason if `strict`.
 */
export function parametersWithWrongOptions<H extends Hyperparameters>(
  rule: UpdateRule<H>,
  saved: readonly (readonly [name: string, state: ParameterState<Tensor>])[],
  strict: boolean,
): LoadReport['mismatched'] {
  return saved.flatMap(([name, { options }]) => {
    try {
      // A state has options of any rule; the optimizer of core refuses those that are not of this one.
      new CoreOptimizer(dryRunBackend, rule, [], {}).set(options as PartialOptions<H>)
      return []
    } catch (error) {
      if (strict || !(error instanceof Error)) throw error
      return [{ name, reason: error.message }]
    }
  })
}
