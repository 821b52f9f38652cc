import {
  type Communicator,
  Optimizer as CoreOptimizer,
  checkOptions,
  type Hyperparameters,
  type LoadOptions,
  type LoadReport,
  type OptimizerOptions,
  type Parameter,
  type PartialOptions,
  restartSchedules,
  rulesIn,
  type Schedule,
  type Selector,
  scheduleValue,
  splitTransforms,
  transformState,
  transformStateNames,
  type UpdateRule,
} from '@diffgrad/core'
import { backend, engine, env, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { TensorBackend } from './backend.ts'
import { warnOfOtherCopy } from './copies.ts'
import type { SelectEngine } from './engines/select-engine.ts'
import { isWebgl } from './engines/webgl.ts'
import { PendingState, parametersWithWrongOptions } from './pending-state.ts'
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
  #communicator: Communicator | undefined
  /** The registered variables by parameter name: the name under which one was saved, else its own. */
  readonly #variables = new Map<string, Variable>()
  /** Parameter names by variable name. */
  readonly #names = new Map<string, string>()
  /** The loaded state of variables that are not registered yet. */
  readonly #pending: PendingState
  /** The rule of the optimizer, and those of its groups. */
  readonly #rules: readonly UpdateRule[]
  /** Whether the state was loaded strictly, so that it may be that of variables with other names. */
  #strict = true

  constructor(rule: UpdateRule<H>, options: OptimizerOptions<H>, selectEngine: SelectEngine) {
    this.#rule = rule
    this.#backend = new TensorBackend(selectEngine)
    this.#optimizer = new CoreOptimizer(this.#backend, rule, [], options)
    this.#rules = rulesIn<Hyperparameters>(rule, options.groups ?? [])
    this.#pending = new PendingState(this.#rules)
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
    const pending = this.#pending.names
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
    const resumed = parameters.filter(({ name }) => this.#pending.has(name))
    tidy(() => {
      const registered = [...this.#variables].map(([name, value]) => parameter(name, value))
      const loaded = resumed.map(({ name, value }) => {
        return [name, reshapeState(this.#pending.get(name), value.shape)] as const
      })
      registerParameters(optimizer, registered, parameters, Object.fromEntries(loaded), options)
    })
    this.#optimizer = optimizer
    for (const [i, [name, variable]] of added.entries()) {
      this.#names.set(name, parameters[i].name)
      this.#variables.set(parameters[i].name, variable)
    }
    this.#pending.dispose(resumed.map(({ name }) => name))
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
      (name) => !this.#variables.has(name) && !this.#pending.has(name),
    )
    if (unknown !== undefined) {
      throw new RangeError(`${this.#rule.name}: no variable ${unknown} is registered`)
    }
    const registered = parameters.filter((name) => this.#variables.has(name))
    if (registered.length > 0) this.#optimizer.remove(registered)
    for (const name of registered) this.#variables.delete(name)
    for (const name of names) this.#names.delete(name)
    this.#pending.dispose(parameters)
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
    const loaded = this.#pending.options.map((options) => Object.entries(options))
    const entries = [...registered, ...loaded]
    if (entries.length === 0) {
      const { groups = [], ...common } = this.#optimizer.options
      entries.push(Object.entries({ ...this.#rule.defaults, ...common }))
      entries.push(
        ...groups.map(({ rule, ...group }) => Object.entries({ ...rule?.defaults, ...group })),
      )
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
    this.#pending.checkChanges(defined, selector)
    this.#optimizer.set(changes, selector)
    this.#pending.set(defined, selector, this.#optimizer.updates)
  }

  /** Reports a loss to plateau schedules. @throws RangeError if it is not finite. */
  report(loss: number): void {
    this.#optimizer.report(loss)
    this.#pending.report(loss, this.#optimizer.updates)
  }

  /** Shares updates with other ranks. @throws RangeError as the optimizer of core does. */
  distribute(communicator: Communicator): void {
    this.#optimizer.distribute(communicator)
    this.#communicator = communicator
  }

  /** Reads numbers of the state that are on a device, before `stateDict`; undefined if no state is on one. */
  readScalars(): Promise<void> | undefined {
    return this.#backend.readScalars()
  }

  /** The state, including that of variables not registered yet. The caller disposes of its tensors. */
  stateDict(): TensorState {
    const { parameters, ...position } = this.#optimizer.stateDict()
    const registered = [...this.#variables.keys()].map((name) => [name, parameters[name]])
    return {
      ...position,
      parameters: Object.fromEntries([...registered, ...this.#pending.clones()]),
    }
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
    const mismatched =
      state.rule === this.#rule.name
        ? parametersWithWrongOptions(this.#rules, unmatched, strict)
        : []
    const registered = [...this.#variables].flatMap(([name, { shape }]) => {
      const match = names.get(name)
      return match === undefined ? [] : [[name, reshapeState(parameters[match], shape)] as const]
    })
    const report = this.#optimizer.loadStateDict(
      { ...position, parameters: Object.fromEntries(registered) },
      options,
    )
    this.#strict = strict
    const refused = new Set(mismatched.map(({ name }) => name))
    const waiting = unmatched.filter(([name]) => !refused.has(name))
    this.#pending.replace(waiting, this.#isDropped())
    if (strict) return report
    return {
      ...report,
      unexpected: unmatched.map(([name]) => name),
      mismatched: [...report.mismatched, ...mismatched],
    }
  }

  /** Whether state is of a transform that the optimizer does not have. */
  #isDropped(): (slot: string) => boolean {
    const own = transformStateNames(splitTransforms(this.#rule, this.#optimizer.options).transforms)
    return (slot) => Object.hasOwn(transformState, slot) && !own.includes(slot)
  }

  /** One array of the optimizer state itself. It may be read at any later time. */
  stateTensor(name: string, slot: string): Tensor {
    if (!this.#variables.has(name)) return this.#pending.get(name).state[slot]
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
    this.#pending.dispose()
    this.#variables.clear()
    this.#names.clear()
    this.#optimizer = this.#newOptimizer(options)
  }

  /** An optimizer without variables, on the same ranks. */
  #newOptimizer(options: OptimizerOptions<H>): CoreOptimizer<Tensor, H, Tensor> {
    const optimizer = new CoreOptimizer(this.#backend, this.#rule, [], options)
    if (this.#communicator) optimizer.distribute(this.#communicator)
    return optimizer
  }

  /** The value of an option at the next step. */
  #valueOf(option: unknown): unknown {
    const isSchedule = typeof option === 'object' && option !== null
    // Options are checked when they are set or loaded.
    return isSchedule ? scheduleValue(option as Schedule, this.#optimizer.updates) : option
  }

  /** The optimizer for this device: with a larger default ε where numbers have 16 bits. */
  #forPrecision(): CoreOptimizer<Tensor, H, Tensor> {
    const { options } = this.#optimizer
    const lacksEpsilon = ({ defaults }: { readonly defaults: object }, own: object): boolean =>
      'epsilon' in defaults && !('epsilon' in own)
    const { groups = [] } = options
    const ofGroups = groups.map(({ rule, ...own }) => rule !== undefined && lacksEpsilon(rule, own))
    const isFixed = !lacksEpsilon(this.#rule, options) && !ofGroups.includes(true)
    if (isFixed || !isHalfPrecision()) return this.#optimizer
    const epsilon = halfPrecisionEpsilon
    const adapted = this.#newOptimizer({
      ...options,
      ...(lacksEpsilon(this.#rule, options) && { epsilon }),
      groups: groups.map((group, i) => (ofGroups[i] ? { ...group, epsilon } : group)),
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
}

const parameter = (name: string, value: Variable): Parameter<Tensor> => {
  return { name, value, shape: value.shape }
}
