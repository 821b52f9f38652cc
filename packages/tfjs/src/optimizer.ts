import type { LoopTable } from '@diffgrad/arrays/kernels'
import type {
  Hyperparameters,
  Inspection,
  OptimizerOptions,
  RuleOptions,
  Selector,
  StateDict,
  StepOutcome,
  UpdateRule,
} from '@diffgrad/core'
import {
  type NamedTensorMap,
  Optimizer,
  type serialization,
  tensor1d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core'
import { anyOf, checkOrigin, decode, encode } from './configuration.ts'
import { fused } from './engines/choose.ts'
import { mapped, readAndDispose } from './read.ts'
import { Variables } from './variables.ts'
import { Header, type NamedTensors, readWeights, weightsOf } from './weights.ts'

/** Gradients as TensorFlow.js hands them over: by variable name, or a list of names and tensors. */
export type TensorGradients = NamedTensorMap | NamedTensors

/**
 * An optimizer of TensorFlow.js, for any update rule: for `model.compile`, `minimize`, and all else
 * that takes one. What it remembers of a variable goes by the variable's name.
 *
 * To save models with a rule of your own, extend it with a static `className`, and register that class.
 */
export class RuleOptimizer<O extends Hyperparameters = Hyperparameters> extends Optimizer {
  static get className(): string {
    return 'DiffgradRule'
  }

  /** The rule it follows. */
  readonly rule: UpdateRule<O>
  readonly #variables: Variables<O>
  readonly #header = new Header()

  /**
   * @param made - kernels of the rule for the cpu backend that were made at build time.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(rule: UpdateRule<O>, options: OptimizerOptions<O> = {}, made: LoopTable = {}) {
    super()
    this.rule = rule
    this.#variables = new Variables(rule, options, fused(made))
  }

  /**
   * Takes one step. Gradients are read, never kept; where there is none, nothing changes.
   *
   * @throws RangeError naming a gradient that does not fit, or is of no variable; or a scheduled
   * hyperparameter that left its range.
   * @throws TypeError naming the first thing in which a variable is not what was loaded of it. Then
   * nothing has moved.
   */
  override applyGradients(gradients: TensorGradients): StepOutcome {
    const given = this.#variables.gradients(listed(gradients))
    this.#header.reserve()
    const outcome = tidy(() => this.#variables.conductor.step(given))
    if (outcome === 'updated') this.incrementIterations()
    return outcome
  }

  /**
   * Makes variables known before their first gradients do: to swap averages right after loading, say.
   *
   * @throws RangeError naming a variable that cannot be trained.
   * @throws TypeError naming the first thing in which one is not what was loaded of it. Then nothing has
   * changed.
   */
  bind(variables: readonly Variable[]): void {
    this.#variables.bind(variables.map(({ name }) => name))
  }

  /**
   * What the rule would do with these gradients: its inner values, such as `xi`, and the
   * `effectiveStep` by which each element would move, before weight decay. Nothing is moved.
   */
  async inspect(gradients: TensorGradients): Promise<Inspection> {
    const shown = this.#variables.conductor.inspect(this.#variables.gradients(listed(gradients)))
    this.#variables.clear()
    return mapped(shown, readAndDispose)
  }

  /** Changes the learning rate from the next step on. */
  setLearningRate(learningRate: RuleOptions<Hyperparameters>['learningRate']): void {
    // Every rule has a learning rate.
    this.set({ learningRate } as Partial<RuleOptions<O>>)
  }

  /**
   * Changes settings from the next step on, of all variables or of some.
   *
   * @throws RangeError if a setting is unknown, out of range, or would change what is remembered;
   * if nothing is selected, or a part of a group. Then nothing has changed.
   */
  set(changes: Partial<RuleOptions<O>>, variables?: Selector): void {
    this.#variables.conductor.set(changes, variables && anyOf(variables))
  }

  /** The hyperparameters of a variable at its next step, schedules resolved. */
  hyperparameters(variable: string): O {
    return this.#variables.conductor.hyperparameters(this.#variables.nameOf(variable))
  }

  /** Tells plateau schedules the loss, or any figure that should fall. */
  report(loss: number): void {
    this.#variables.conductor.report(loss)
  }

  /**
   * Exchanges the weights and their moving average; again, and they are back.
   *
   * @throws Error if there is no average, for want of the option `ema`.
   */
  swapEma(): void {
    tidy(() => this.#variables.conductor.swapEma())
  }

  /** Everything but the variables, in the format of all packages of diffgrad. */
  async stateDict(): Promise<StateDict> {
    const { parameters, ...position } = this.#variables.state()
    const read = await mapped(parameters, async ({ state, ...rest }) => {
      return { ...rest, state: await readAndDispose(state) }
    })
    return { ...position, parameters: read }
  }

  /**
   * Goes back to a saved state, of variables that are not known yet as soon as they are.
   *
   * @throws TypeError naming the first thing in the state that does not fit.
   */
  loadStateDict({ parameters, ...position }: StateDict): void {
    tidy(() => {
      const entries = Object.entries(parameters).map(([name, { state, ...rest }]) => {
        const tensors = Object.entries(state).map(([slot, elements]) => {
          if (elements instanceof Float32Array) return [slot, tensor1d(elements)]
          throw new TypeError(`${this.rule.name}: the state of ${name} is not of Float32Array`)
        })
        return [name, { ...rest, state: Object.fromEntries(tensors) }]
      })
      this.#variables.load({ ...position, parameters: Object.fromEntries(entries) })
    })
    this.iterations_ = position.updates
  }

  /** Counters, settings and memory. The tensors are the optimizer's own, and change as it goes on. */
  override async getWeights(): Promise<NamedTensors> {
    let weights: NamedTensors = []
    tidy(() => {
      const state = this.#variables.state()
      const header = this.#header.write(this.iterations, state)
      weights = [...header, ...weightsOf(state, (name, slot) => this.#variables.memory(name, slot))]
    })
    return weights
  }

  /**
   * Goes back to what `getWeights` gave.
   *
   * @throws TypeError naming the first thing in which it is another optimizer's.
   */
  override async setWeights(weights: NamedTensors): Promise<void> {
    const { iterations, state } = await readWeights(this.rule.name, weights)
    tidy(() => this.#variables.load(state))
    this.#header.reserve()
    this.iterations_ = iterations
  }

  /** Its options as JSON. @throws TypeError if a group is selected by a function. */
  override getConfig(): serialization.ConfigDict {
    return encode(this.rule, this.#variables.conductor.options)
  }

  /**
   * An optimizer with the options that `getConfig` gave.
   *
   * @throws TypeError if they are another rule's.
   */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const made = new cls(decode(config))
    if ('rule' in made) checkOrigin(made.rule as UpdateRule, config) // It is one of these classes.
    return made
  }

  /** Disposes of all memory, and forgets all variables. */
  override dispose(): void {
    this.#variables.dispose()
    this.#header.dispose()
    this.iterations_ = 0
  }
}

/** Both forms as one: the map's entries may also be missing. */
const listed = (gradients: TensorGradients): NamedTensors =>
  Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
