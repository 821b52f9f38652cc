import {
  Optimizer as Conductor,
  type Hyperparameters,
  type OptimizerOptions,
  type Parameter,
  type ParameterState,
  type UpdateRule,
} from '@diffgrad/core'
import { engine, keep, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core'
import { TensorBackend } from './backend.ts'
import { lenient } from './configuration.ts'
import type { ChooseEngine } from './engines/choose.ts'
import { halfEpsilon, isHalf } from './epsilon.ts'
import { fitted } from './fit.ts'
import { join } from './join.ts'
import { matchNames } from './names.ts'
import type { NamedTensors, TensorState } from './weights.ts'

/**
 * The optimizer of core, of variables that come as they come: a frozen layer's with its first gradients,
 * a loaded model's under other names than it was saved with.
 */
export class Variables<O extends Hyperparameters> {
  readonly #rule: UpdateRule<O>
  readonly #backend: TensorBackend
  #conductor: Conductor<Tensor, O, Tensor>
  /** The variables, by the names that they go by: those under which they were saved, if they were. */
  readonly #variables = new Map<string, Variable>()
  /** The names that they go by, by their own. */
  readonly #names = new Map<string, string>()
  /** What was loaded of variables that did not come yet. */
  #waiting: Readonly<Record<string, ParameterState<Tensor>>> = {}

  constructor(rule: UpdateRule<O>, options: OptimizerOptions<O>, choose: ChooseEngine) {
    this.#rule = rule
    this.#backend = new TensorBackend(choose)
    this.#conductor = new Conductor(this.#backend, rule, [], lenient(options))
  }

  /** What conducts them. Names are those that they go by. */
  get conductor(): Conductor<Tensor, O, Tensor> {
    return this.#conductor
  }

  /** Which name a variable goes by. */
  nameOf(variable: string): string {
    return this.#names.get(variable) ?? variable
  }

  /**
   * Gradients by the names that their variables go by. Variables that were not known are from now on.
   *
   * @throws RangeError naming a gradient of no variable.
   */
  gradients(named: NamedTensors): readonly (readonly [name: string, gradient: Tensor])[] {
    const given = named.filter(({ tensor }) => tensor !== null && tensor !== undefined)
    this.bind(given.map(({ name }) => name))
    return given.map(({ name, tensor }) => [this.nameOf(name), tensor])
  }

  /**
   * Makes variables known.
   *
   * @throws RangeError naming one that cannot be trained.
   * @throws TypeError naming the first thing in which one is not what was loaded of it. Then nothing has
   * changed.
   */
  bind(names: readonly string[]): void {
    const found = names.map((name) => [name, this.#registered(name)] as const)
    const fresh = found.filter(([name]) => !this.#names.has(name))
    if (fresh.length === 0) return
    const conductor = this.#variables.size === 0 ? this.#adapted() : this.#conductor
    const waiting = Object.keys(this.#waiting)
    const own = fresh.map(([name]) => name)
    const saved = waiting.length > 0 ? matchNames(this.#rule.name, own, waiting) : new Map()
    const parameters = fresh.map(([name, value]) => parameter(saved.get(name) ?? name, value))
    const resumed = parameters.filter(({ name }) => waiting.includes(name))
    tidy(() => {
      const known = [...this.#variables].map(([name, value]) => parameter(name, value))
      const loaded = resumed.map(({ name, value }) => {
        return [name, fitted(this.#waiting[name], value.shape)] as const
      })
      join(conductor, known, parameters, Object.fromEntries(loaded))
    })
    this.#conductor = conductor
    for (const [i, [name, variable]] of fresh.entries()) {
      this.#names.set(name, parameters[i].name)
      this.#variables.set(parameters[i].name, variable)
    }
    for (const { name } of resumed) this.#forget(name)
  }

  /** The state, that of variables to come included. Its tensors are for the caller to dispose of. */
  state(): TensorState {
    const { parameters, ...position } = this.#conductor.stateDict()
    const waiting = Object.entries(this.#waiting).map(([name, { state, ...rest }]) => {
      const clones = Object.entries(state).map(([slot, tensor]) => [slot, tensor.clone()])
      return [name, { ...rest, state: Object.fromEntries(clones) }]
    })
    const known = [...this.#variables.keys()].map((name) => [name, parameters[name]])
    return { ...position, parameters: Object.fromEntries([...known, ...waiting]) }
  }

  /**
   * Goes back to a state, of which nothing is kept.
   *
   * @throws TypeError naming the first thing in which it is of another optimizer.
   */
  load(state: TensorState): void {
    const { parameters, ...position } = state
    const names = matchNames(this.#rule.name, [...this.#variables.keys()], Object.keys(parameters))
    const known = [...this.#variables].flatMap(([name, { shape }]) => {
      const saved = names.get(name)
      return saved === undefined ? [] : [[name, fitted(parameters[saved], shape)] as const]
    })
    this.#conductor.loadStateDict({ ...position, parameters: Object.fromEntries(known) })
    for (const name of Object.keys(this.#waiting)) this.#forget(name)
    const taken = new Set(names.values())
    const later = Object.entries(parameters).filter(([name]) => !taken.has(name))
    this.#waiting = Object.fromEntries(
      later.map(([name, { state, ...rest }]) => {
        const kept = Object.entries(state).map(([slot, tensor]) => [slot, keep(tensor.clone())])
        return [name, { ...rest, state: Object.fromEntries(kept) }]
      }),
    )
  }

  /** One array of memory itself, for anyone to read. */
  memory(name: string, slot: string): Tensor {
    if (!this.#variables.has(name)) return this.#waiting[name].state[slot]
    return this.#backend.lend(this.#conductor.state(name)[slot])
  }

  /** Disposes of what `inspect` of the conductor computed with. */
  clear(): void {
    this.#backend.clear()
  }

  /** Disposes of all memory, and forgets all variables. */
  dispose(): void {
    const { options } = this.#conductor
    this.#backend.dispose()
    for (const name of Object.keys(this.#waiting)) this.#forget(name)
    this.#variables.clear()
    this.#names.clear()
    this.#conductor = new Conductor(this.#backend, this.#rule, [], options)
  }

  /** The conductor for this device: where numbers have 16 bits, the usual ε is zero. */
  #adapted(): Conductor<Tensor, O, Tensor> {
    const { options: configuration } = this.#conductor
    const given = 'epsilon' in configuration || !('epsilon' in this.#rule.defaults)
    if (given || !isHalf()) return this.#conductor
    const options = { ...configuration, epsilon: halfEpsilon }
    const adapted = new Conductor(this.#backend, this.#rule, [], options)
    adapted.loadStateDict(this.#conductor.stateDict())
    return adapted
  }

  #registered(name: string): Variable {
    const found = engine().registeredVariables[name]
    const known = this.#variables.get(this.nameOf(name))
    const refuse = (reason: string): never => {
      throw new RangeError(`${this.#rule.name}: ${reason}`)
    }
    if (known?.isDisposed) return refuse(`the variable ${name} was disposed of`)
    if (!found) return refuse(`no variable is called ${name}, but a gradient is`)
    if (found.dtype !== 'float32') return refuse(`the variable ${name} is of ${found.dtype}`)
    return found
  }

  #forget(name: string): void {
    const { [name]: gone, ...rest } = this.#waiting
    for (const tensor of Object.values(gone.state)) tensor.dispose()
    this.#waiting = rest
  }
}

const parameter = (name: string, value: Variable): Parameter<Tensor> => {
  return { name, value, shape: value.shape }
}
