import {
  Optimizer as CoreOptimizer,
  checkOptions,
  type Hyperparameters,
  isPlainObject,
  type LoadOptions,
  type LoadReport,
  type OptimizerOptions,
  optionsAfterReport,
  type Parameter,
  type ParameterState,
  type PartialOptions,
  type RuleOptions,
  type Schedule,
  type Selector,
  scheduleValue,
  selects,
  splitTransforms,
  startSchedules,
  transformState,
  transformStateNames,
  type UpdateRule,
} from '@diffgrad/core'
import { backend, engine, env, keep, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { dryRunBackend, TensorBackend } from './backend.ts'
import { warnOfOtherCopy } from './copies.ts'
import type { SelectEngine } from './engines/select-engine.ts'
import { isWebgl } from './engines/webgl.ts'
import { matchNames, registerParameters, reshapeState } from './registration.ts'
import type { NamedTensors, TensorState } from './serialization.ts'

/** The ε of TensorFlow.js for 16-bit numbers, where core's default rounds to zero. */
const halfPrecisionEpsilon = 1e-4

/**
 * Whether numbers on the current backend have 16 bits. Reads the flag, because `floatPrecision()` of
 * TensorFlow.js 4.22 returns 16 on every device with 32 bits.
 */
const isHalfPrecision = (): boolean =>
  isWebgl(backend()) && !env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')

/**
 * The optimizer of core over variables that are registered as they appear: those of a frozen layer with
 * their first gradients, those of a loaded model under other names than they were saved with.
 */
export class Variables<H extends Hyperparameters> {
  readonly #rule: UpdateRule<H>
  readonly #backend: TensorBackend
  /** The options of the constructor. */
  readonly #initial: OptimizerOptions<H>
  #optimizer: CoreOptimizer<Tensor, H, Tensor>
  /** The registered variables by parameter name: the name under which one was saved, else its own. */
  readonly #variables = new Map<string, Variable>()
  /** Parameter names by variable name. */
  readonly #names = new Map<string, string>()
  /** The loaded state of variables that are not registered yet, by parameter name. */
  #pending: Readonly<Record<string, ParameterState<Tensor>>> = {}
  /** Whether the state was loaded strictly, so that it may be that of variables with other names. */
  #strict = true

  constructor(rule: UpdateRule<H>, options: OptimizerOptions<H>, selectEngine: SelectEngine) {
    this.#rule = rule
    this.#backend = new TensorBackend(selectEngine)
    this.#optimizer = new CoreOptimizer(this.#backend, rule, [], options)
    this.#initial = this.#optimizer.options // A copy.
  }

  /** The optimizer of core, which knows variables by their parameter names. */
  get optimizer(): CoreOptimizer<Tensor, H, Tensor> {
    return this.#optimizer
  }

  /** The parameter name of a variable. */
  parameterName(variable: string): string {
    return this.#names.get(variable) ?? variable
  }

  /**
   * Gradients by parameter name. Registers their variables.
   *
   * @throws RangeError naming a gradient of no variable.
   */
  gradients(named: NamedTensors): readonly (readonly [name: string, gradient: Tensor])[] {
    const present = named.filter(({ tensor }) => tensor !== null && tensor !== undefined)
    this.register(present.map(({ name }) => name))
    return present.map(({ name, tensor }) => [this.parameterName(name), tensor])
  }

  /**
   * Registers variables by name, and restores their loaded state.
   *
   * @param options - options of their own, which override those of the optimizer and of their state.
   * @throws RangeError naming one that cannot be trained, or is registered and would get options.
   * @throws TypeError naming the first variable that its loaded state does not fit. Then nothing has
   * changed.
   */
  register(names: readonly string[], options: PartialOptions<H> = {}): void {
    const found = names.map((name) => [name, this.#lookUp(name)] as const)
    const added = found.filter(([name]) => !this.#names.has(name))
    const known = names.find((name) => this.#names.has(name))
    checkOptions(this.#rule.name, options)
    if (known !== undefined && Object.keys(options).length > 0) {
      throw new RangeError(
        `${this.#rule.name}: the variable ${known} is registered; change its options with set`,
      )
    }
    if (added.length === 0) return
    const optimizer = this.#variables.size === 0 ? this.#forPrecision() : this.#optimizer
    const pending = Object.keys(this.#pending)
    // Variables are registered with their gradients, so that a group may select any that exists.
    optimizer.checkSelections([
      ...Object.values(engine().registeredVariables),
      ...pending.map((name) => ({ name })),
    ])
    const addedNames = added.map(([name]) => name)
    const saved =
      pending.length > 0
        ? matchNames(this.#rule.name, addedNames, pending, { strict: this.#strict })
        : new Map()
    const parameters = added.map(([name, value]) => parameter(saved.get(name) ?? name, value))
    const resumed = parameters.filter(({ name }) => Object.hasOwn(this.#pending, name))
    tidy(() => {
      const registered = [...this.#variables].map(([name, value]) => parameter(name, value))
      const loaded = resumed.map(({ name, value }) => {
        return [name, reshapeState(this.#pending[name], value.shape)] as const
      })
      registerParameters(optimizer, registered, parameters, Object.fromEntries(loaded), options)
    })
    this.#optimizer = optimizer
    for (const [i, [name, variable]] of added.entries()) {
      this.#names.set(name, parameters[i].name)
      this.#variables.set(parameters[i].name, variable)
    }
    this.#disposePending(resumed.map(({ name }) => name))
    warnOfOtherCopy(added[0][1])
  }

  /**
   * Forgets variables and their state.
   *
   * @throws RangeError naming one that is not registered. Then nothing has changed.
   */
  remove(names: readonly string[]): void {
    const parameters = [...new Set(names.map((name) => this.parameterName(name)))]
    const unknown = parameters.find(
      (name) => !this.#variables.has(name) && !Object.hasOwn(this.#pending, name),
    )
    if (unknown !== undefined) {
      throw new RangeError(`${this.#rule.name}: no variable ${unknown} is registered`)
    }
    const registered = parameters.filter((name) => this.#variables.has(name))
    if (registered.length > 0) this.#optimizer.remove(registered)
    for (const name of registered) this.#variables.delete(name)
    for (const name of names) this.#names.delete(name)
    this.#disposePending(parameters.filter((name) => Object.hasOwn(this.#pending, name)))
  }

  /**
   * The value of a hyperparameter at the next step, which is the same for all variables.
   *
   * @throws RangeError if it differs between parameter groups.
   */
  setting(name: string): unknown {
    const registered = [...this.#variables.keys()].map((variable) =>
      Object.entries(this.#optimizer.hyperparameters(variable)),
    )
    const loaded = Object.values(this.#pending).map(({ options }) => Object.entries(options))
    const entries = [...registered, ...loaded]
    if (entries.length === 0) {
      const { groups = [], ...common } = this.#optimizer.options
      entries.push(Object.entries({ ...this.#rule.defaults, ...common }))
      entries.push(...groups.map((group) => Object.entries(group)))
    }
    const values = entries.flatMap((settings) =>
      settings
        .filter(([setting, value]) => setting === name && value !== undefined)
        .map(([, value]) => this.#valueOf(value)),
    )
    const [value, other] = new Set(values)
    if (other !== undefined) {
      throw new RangeError(
        `${this.#rule.name}: ${name} differs between parameter groups (${value}, ${other}); use hyperparameters(variable) and set(changes, variables)`,
      )
    }
    return value
  }

  /**
   * Changes options, also of variables that are not registered yet and have a loaded state.
   *
   * @throws TypeError, RangeError as the optimizer of core does. Then nothing has changed.
   */
  set(changes: PartialOptions<H>, variables?: Selector): void {
    const selector = Array.isArray(variables)
      ? variables.map((name) => this.parameterName(name))
      : variables
    checkOptions(this.#rule.name, changes)
    const entries = Object.entries(changes).filter(([, value]) => value !== undefined)
    const defined = Object.fromEntries(entries)
    const stateNames = (options: object): string =>
      // Options of the rule, checked when they were loaded; the optimizer checks the changes.
      `${this.#rule.stateNames({ ...this.#rule.defaults, ...options } as RuleOptions<H>)}`
    this.#mapPendingOptions((options, parameter) => {
      if (selector && !selects(selector, parameter)) return options
      if (stateNames(options) === stateNames({ ...options, ...defined })) return options
      throw new RangeError(
        `${this.#rule.name}: ${Object.keys(defined)} selects the optimizer state and cannot change`,
      )
    })
    this.#optimizer.set(changes, selector)
    const started = startSchedules(defined, this.#optimizer.updates)
    this.#mapPendingOptions((options, parameter) =>
      !selector || selects(selector, parameter) ? { ...options, ...started } : options,
    )
  }

  /** Reports a loss to plateau schedules. @throws RangeError if it is not finite. */
  report(loss: number): void {
    this.#optimizer.report(loss)
    const report = { step: this.#optimizer.updates, loss }
    this.#mapPendingOptions((options) => optionsAfterReport(options, report))
  }

  /** The state, including that of variables not registered yet. The caller disposes of its tensors. */
  stateDict(): TensorState {
    const { parameters, ...position } = this.#optimizer.stateDict()
    const pending = Object.entries(this.#pending).map(([name, { state, ...rest }]) => {
      const clones = Object.entries(state).map(([slot, tensor]) => [slot, tensor.clone()])
      return [name, { ...rest, state: Object.fromEntries(clones) }]
    })
    const registered = [...this.#variables.keys()].map((name) => [name, parameters[name]])
    return { ...position, parameters: Object.fromEntries([...registered, ...pending]) }
  }

  /**
   * Restores a state, whose tensors are copied or cloned. The state of variables that are not registered
   * waits for them.
   *
   * @returns what was not loaded.
   * @throws TypeError naming the first thing in which it is of another optimizer.
   */
  loadStateDict(state: TensorState, options: LoadOptions = {}): LoadReport {
    const { parameters, ...position } = state
    const { strict = true } = options
    const [current, saved] = [[...this.#variables.keys()], Object.keys(parameters)]
    const names = matchNames(this.#rule.name, current, saved, { strict })
    const matched = new Set(names.values())
    const unmatched = Object.entries(parameters).filter(([name]) => !matched.has(name))
    // The optimizer refuses the state of another rule.
    const mismatched = state.rule === this.#rule.name ? this.#wrongOptions(unmatched, strict) : []
    const registered = [...this.#variables].flatMap(([name, { shape }]) => {
      const match = names.get(name)
      return match === undefined ? [] : [[name, reshapeState(parameters[match], shape)] as const]
    })
    const report = this.#optimizer.loadStateDict(
      { ...position, parameters: Object.fromEntries(registered) },
      options,
    )
    this.#strict = strict
    this.#disposePending(Object.keys(this.#pending))
    const refused = new Set(mismatched.map(({ name }) => name))
    const waiting = unmatched.filter(([name]) => !refused.has(name))
    const isDropped = this.#isDropped()
    this.#pending = Object.fromEntries(
      waiting.map(([name, { state, ...rest }]) => {
        const kept = Object.entries(state)
          .filter(([slot]) => !isDropped(slot))
          .map(([slot, tensor]) => [slot, keep(tensor.clone())])
        return [name, { ...rest, state: Object.fromEntries(kept) }]
      }),
    )
    if (strict) return report
    return {
      ...report,
      unexpected: unmatched.map(([name]) => name),
      mismatched: [...report.mismatched, ...mismatched],
    }
  }

  /**
   * The saved parameters whose options are not those of the rule, with the reason.
   *
   * @throws RangeError with the first reason if `strict`.
   */
  #wrongOptions(
    saved: readonly (readonly [name: string, ParameterState<Tensor>])[],
    strict: boolean,
  ): LoadReport['mismatched'] {
    return saved.flatMap(([name, { options }]) => {
      try {
        // A state has options of any rule; the optimizer of core refuses those that are not of this one.
        new CoreOptimizer(dryRunBackend, this.#rule, [], {}).set(options as PartialOptions<H>)
        return []
      } catch (error) {
        if (strict || !(error instanceof Error)) throw error
        return [{ name, reason: error.message }]
      }
    })
  }

  /** Whether state is of a transform that the optimizer does not have. */
  #isDropped(): (slot: string) => boolean {
    const own = transformStateNames(splitTransforms(this.#rule, this.#optimizer.options).transforms)
    return (slot) => Object.hasOwn(transformState, slot) && !own.includes(slot)
  }

  /** One array of the optimizer state itself. It may be read at any later time. */
  stateTensor(name: string, slot: string): Tensor {
    if (!this.#variables.has(name)) return this.#pending[name].state[slot]
    return this.#backend.share(this.#optimizer.state(name)[slot])
  }

  /** Disposes of the temporary arrays of `optimizer.inspect`. */
  disposeScratch(): void {
    this.#backend.disposeScratch()
  }

  /** Disposes of all optimizer state, and forgets all variables. Schedules restart, as updates do. */
  dispose(): void {
    const options = restartSchedules(this.#optimizer.options, this.#initial)
    this.#backend.dispose()
    this.#disposePending(Object.keys(this.#pending))
    this.#variables.clear()
    this.#names.clear()
    this.#optimizer = new CoreOptimizer(this.#backend, this.#rule, [], options)
  }

  /** The value of an option at the next step. */
  #valueOf(option: unknown): unknown {
    const isSchedule = typeof option === 'object' && option !== null
    // Options are checked when they are set or loaded.
    return isSchedule ? scheduleValue(option as Schedule, this.#optimizer.updates) : option
  }

  /** Changes the options of variables that are not registered yet and have a loaded state. */
  #mapPendingOptions(
    map: (
      options: ParameterState['options'],
      parameter: { readonly name: string; readonly shape: readonly number[] | undefined },
    ) => ParameterState['options'],
  ): void {
    const entries = Object.entries(this.#pending).map(([name, saved]) => {
      const [{ shape } = { shape: undefined }] = Object.values(saved.state)
      return [name, { ...saved, options: map(saved.options, { name, shape }) }]
    })
    this.#pending = Object.fromEntries(entries)
  }

  /** The optimizer for this device: with a larger default ε where numbers have 16 bits. */
  #forPrecision(): CoreOptimizer<Tensor, H, Tensor> {
    const { options } = this.#optimizer
    const isFixed = 'epsilon' in options || !('epsilon' in this.#rule.defaults)
    if (isFixed || !isHalfPrecision()) return this.#optimizer
    const adapted = new CoreOptimizer(this.#backend, this.#rule, [], {
      ...options,
      epsilon: halfPrecisionEpsilon,
    })
    adapted.loadStateDict(this.#optimizer.stateDict())
    return adapted
  }

  /** The variable that TensorFlow.js has registered under a name. */
  #lookUp(name: string): Variable {
    const found = engine().registeredVariables[name]
    const registered = this.#variables.get(this.parameterName(name))
    const refuse = (reason: string): never => {
      throw new RangeError(`${this.#rule.name}: ${reason}`)
    }
    if (registered?.isDisposed) return refuse(`the variable ${name} was disposed of`)
    if (!found) return refuse(`no variable is called ${name}, but a gradient is`)
    if (found.dtype !== 'float32') return refuse(`the variable ${name} is of ${found.dtype}`)
    return found
  }

  #disposePending(names: readonly string[]): void {
    const disposed = new Set(names)
    const entries = Object.entries(this.#pending)
    for (const [name, { state }] of entries) {
      if (disposed.has(name)) for (const tensor of Object.values(state)) tensor.dispose()
    }
    this.#pending = Object.fromEntries(entries.filter(([name]) => !disposed.has(name)))
  }
}

/**
 * Options whose schedules start at the first update, without progress. A `startStep` that the initial
 * options have stays, because it is a delay that the user chose; `set` adds the others.
 */
function restartSchedules<O extends { readonly groups?: readonly object[] | undefined }>(
  { groups = [], ...common }: O,
  { groups: initialGroups = [], ...initial }: O,
): O {
  const schedules = [initial, ...initialGroups].flatMap(Object.values).filter(isPlainObject)
  const chosen = new Set(schedules.map(({ startStep }) => startStep))
  const restart = (options: object): object => {
    const entries = Object.entries(options).map(([option, value]) => {
      if (!isPlainObject(value) || !('kind' in value)) return [option, value]
      const { startStep, ...schedule } = withoutProgress(value)
      return [option, chosen.has(startStep) ? { ...schedule, startStep } : schedule]
    })
    return Object.fromEntries(entries)
  }
  // The options of the same rule, with other schedules.
  return { ...restart(common), groups: groups.map(restart) } as unknown as O
}

/** A schedule before the first report, including the segments of a joined one. */
function withoutProgress({
  progress: _,
  ...schedule
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { segments } = schedule
  if (!Array.isArray(segments)) return schedule
  return {
    ...schedule,
    segments: segments.map((segment) => {
      return { ...segment, schedule: withoutProgress(segment.schedule) }
    }),
  }
}

const parameter = (name: string, value: Variable): Parameter<Tensor> => {
  return { name, value, shape: value.shape }
}
