import {
  Optimizer as CoreOptimizer,
  type Hyperparameters,
  type LoadOptions,
  type LoadReport,
  type OptimizerOptions,
  type Parameter,
  type ParameterState,
  type UpdateRule,
} from '@diffgrad/core'
import { backend, engine, env, keep, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { TensorBackend } from './backend.ts'
import type { SelectEngine } from './engines/select-engine.ts'
import { isWebgl } from './engines/webgl.ts'
import { matchNames, registerParameters, reshapeState } from './registration.ts'
import { expandNames, type NamedTensors, type TensorState } from './serialization.ts'

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
  #optimizer: CoreOptimizer<Tensor, H, Tensor>
  /** The registered variables by parameter name: the name under which one was saved, else its own. */
  readonly #variables = new Map<string, Variable>()
  /** Parameter names by variable name. */
  readonly #names = new Map<string, string>()
  /** The loaded state of variables that are not registered yet, by parameter name. */
  #pending: Readonly<Record<string, ParameterState<Tensor>>> = {}

  constructor(rule: UpdateRule<H>, options: OptimizerOptions<H>, selectEngine: SelectEngine) {
    this.#rule = rule
    this.#backend = new TensorBackend(selectEngine)
    this.#optimizer = new CoreOptimizer(this.#backend, rule, [], expandNames(options))
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
   * @throws RangeError naming one that cannot be trained.
   * @throws TypeError naming the first variable that its loaded state does not fit. Then nothing has
   * changed.
   */
  register(names: readonly string[]): void {
    const found = names.map((name) => [name, this.#lookUp(name)] as const)
    const added = found.filter(([name]) => !this.#names.has(name))
    if (added.length === 0) return
    const optimizer = this.#variables.size === 0 ? this.#forPrecision() : this.#optimizer
    // Variables are registered with their gradients, so that a group may select any that exists.
    optimizer.checkSelections(Object.values(engine().registeredVariables))
    const pending = Object.keys(this.#pending)
    const addedNames = added.map(([name]) => name)
    const saved = pending.length > 0 ? matchNames(this.#rule.name, addedNames, pending) : new Map()
    const parameters = added.map(([name, value]) => parameter(saved.get(name) ?? name, value))
    const resumed = parameters.filter(({ name }) => Object.hasOwn(this.#pending, name))
    tidy(() => {
      const registered = [...this.#variables].map(([name, value]) => parameter(name, value))
      const loaded = resumed.map(({ name, value }) => {
        return [name, reshapeState(this.#pending[name], value.shape)] as const
      })
      registerParameters(optimizer, registered, parameters, Object.fromEntries(loaded))
    })
    this.#optimizer = optimizer
    for (const [i, [name, variable]] of added.entries()) {
      this.#names.set(name, parameters[i].name)
      this.#variables.set(parameters[i].name, variable)
    }
    this.#disposePending(resumed.map(({ name }) => name))
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
   * Restores a state, whose tensors are copied or cloned.
   *
   * @returns what was not loaded.
   * @throws TypeError naming the first thing in which it is of another optimizer.
   */
  loadStateDict(state: TensorState, options?: LoadOptions): LoadReport {
    const { parameters, ...position } = state
    const names = matchNames(this.#rule.name, [...this.#variables.keys()], Object.keys(parameters))
    const registered = [...this.#variables].flatMap(([name, { shape }]) => {
      const saved = names.get(name)
      return saved === undefined ? [] : [[name, reshapeState(parameters[saved], shape)] as const]
    })
    const report = this.#optimizer.loadStateDict(
      { ...position, parameters: Object.fromEntries(registered) },
      options,
    )
    this.#disposePending(Object.keys(this.#pending))
    const matched = new Set(names.values())
    const unmatched = Object.entries(parameters).filter(([name]) => !matched.has(name))
    this.#pending = Object.fromEntries(
      unmatched.map(([name, { state, ...rest }]) => {
        const kept = Object.entries(state).map(([slot, tensor]) => [slot, keep(tensor.clone())])
        return [name, { ...rest, state: Object.fromEntries(kept) }]
      }),
    )
    return report
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

  /** Disposes of all optimizer state, and forgets all variables. */
  dispose(): void {
    const { options } = this.#optimizer
    this.#backend.dispose()
    this.#disposePending(Object.keys(this.#pending))
    this.#variables.clear()
    this.#names.clear()
    this.#optimizer = new CoreOptimizer(this.#backend, this.#rule, [], options)
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

const parameter = (name: string, value: Variable): Parameter<Tensor> => {
  return { name, value, shape: value.shape }
}
