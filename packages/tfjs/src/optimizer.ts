import {
  type Communicator,
  describe,
  type Hyperparameters,
  type Inspection,
  isPlainObject,
  type LoadOptions,
  type LoadReport,
  type OptimizerOptions,
  type PartialOptions,
  type RuleOptions,
  type SavedArray,
  type Selector,
  type SkippedSteps,
  type StateDict,
  type StepOutcome,
  type UpdateRule,
} from '@diffgrad/core'
import type { GeneratedKernels } from '@diffgrad/kernels'
import {
  type NamedTensorMap,
  Optimizer,
  type serialization,
  type Tensor,
  tensor1d,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core'
import { selectEngine } from './engines/select-engine.ts'
import { checkLoad } from './registration.ts'
import {
  checkConfig,
  decodeConfig,
  encodeConfig,
  type NamedTensors,
  namedStateTensors,
  readWeights,
  WeightsHeader,
} from './serialization.ts'
import { defineSettings, optionsOf } from './settings.ts'
import { Variables } from './variables.ts'

/** Gradients as TensorFlow.js passes them: by variable name, or a list of names and tensors. */
export type TensorGradients = NamedTensorMap | NamedTensors

/**
 * An optimizer of TensorFlow.js for any update rule: for `model.compile`, `minimize` and everything
 * else that takes an optimizer. State is keyed by the names of variables.
 *
 * To save models with a rule of your own, extend it with a static `className`, and register that class.
 */
export class RuleOptimizer<H extends Hyperparameters = Hyperparameters> extends Optimizer {
  static get className(): string {
    return 'DiffgradRule'
  }

  /** The update rule. */
  readonly rule: UpdateRule<H>
  readonly #variables: Variables<H>
  readonly #header = new WeightsHeader()

  /**
   * @param options - or the learning rate alone.
   * @param precompiled - kernels of the rule for the cpu backend, generated at build time.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<H>,
    options: OptimizerOptions<H> | number | undefined = {},
    precompiled: GeneratedKernels = {},
  ) {
    super()
    this.rule = rule
    const checked = optionsOf(rule, [options])
    this.#variables = new Variables(rule, checked, selectEngine(precompiled))
    defineSettings(this, (setting) => this.#variables.setting(setting))
  }

  /**
   * Takes one step. Gradients are read, never kept; variables without a gradient do not change.
   *
   * @throws RangeError naming a gradient that does not fit its variable or has none; or a scheduled
   * hyperparameter that left its range.
   * @throws TypeError naming the first variable that its loaded state does not fit. Then nothing has
   * changed.
   */
  override applyGradients(gradients: TensorGradients): StepOutcome {
    const byParameter = this.#variables.gradients(toList(this.rule.name, gradients))
    this.#header.allocate()
    const outcome = tidy(() => this.#variables.optimizer.step(byParameter))
    if (outcome === 'updated') this.incrementIterations()
    return outcome
  }

  /** The steps that `skipNotFinite` has skipped. */
  get skipped(): SkippedSteps {
    return this.#variables.optimizer.skipped
  }

  /**
   * Registers variables before their first gradients do: to call swapAverage right after loading, or to
   * give them options of their own.
   *
   * @param options - override those of the optimizer, of all groups, and of a loaded state.
   * @throws RangeError naming a variable that cannot be trained, or is registered and would get options.
   * @throws TypeError naming the first variable that its loaded state does not fit. Then nothing has
   * changed.
   */
  bind(variables: readonly Variable[], options: PartialOptions<H> = {}): void {
    this.#variables.register(
      variables.map(({ name }) => name),
      options,
    )
  }

  /**
   * Removes variables and their state, such as disposed ones. Later variables of the same names start
   * without state.
   *
   * @throws RangeError naming a variable that is not registered. Then nothing has changed.
   */
  remove(variables: readonly { readonly name: string }[]): void {
    this.#variables.remove(variables.map(({ name }) => name))
  }

  /**
   * Computes the intermediates of the rule for these gradients, such as `xi`, and the `effectiveStep` by
   * which each element would move, before weight decay. Nothing changes.
   */
  async inspect(gradients: TensorGradients): Promise<Inspection> {
    const named = toList(this.rule.name, gradients)
    const shown = this.#variables.optimizer.inspect(this.#variables.gradients(named))
    this.#variables.disposeScratch()
    return mapValues(shown, readAndDispose)
  }

  /**
   * The learning rate at the next step. Assigning changes it, of all variables, as `setLearningRate` does.
   * Other hyperparameters are properties in the same way: `optimizer.beta1 = 0.8`.
   *
   * @throws RangeError if it differs between parameter groups: then read `hyperparameters` of a variable.
   */
  get learningRate(): number {
    return Number(this.#variables.setting('learningRate'))
  }

  set learningRate(learningRate: RuleOptions<Hyperparameters>['learningRate']) {
    this.setLearningRate(learningRate)
  }

  /** Changes the learning rate of all variables from the next step on. */
  setLearningRate(learningRate: RuleOptions<Hyperparameters>['learningRate']): void {
    // Every rule has a learning rate. `set` ignores undefined, which is no learning rate here.
    this.set({ learningRate: learningRate ?? Number.NaN } as PartialOptions<H>)
  }

  /**
   * Changes options from the next step on, of all variables or of some.
   *
   * @throws RangeError if a setting is unknown, out of range, or would change the arrays of the state;
   * if nothing is selected, or only part of a group. Then nothing has changed.
   */
  set(changes: PartialOptions<H>, variables?: Selector): void {
    this.#variables.set(changes, variables)
  }

  /** The hyperparameters of a variable at its next step, with schedules evaluated. */
  hyperparameters(variable: string): H {
    return this.#variables.optimizer.hyperparameters(this.#variables.parameterName(variable))
  }

  /** Reports the loss, or any figure that should fall, to plateau schedules. */
  report(loss: number): void {
    this.#variables.report(loss)
  }

  /**
   * Makes this optimizer one of several, on as many ranks, that train one model on different batches. See
   * `distribute` of `Optimizer` in @diffgrad/core. Not on WebGPU, which cannot read gradients at once.
   *
   * @throws RangeError unless `accumulate` is a multiple of the number of ranks.
   */
  distribute(communicator: Communicator): void {
    this.#variables.distribute(communicator)
  }

  /**
   * Swaps the weights and their moving average; a second call swaps them back.
   *
   * @throws Error without the option `ema`.
   */
  swapAverage(): void {
    tidy(() => this.#variables.optimizer.swapAverage())
  }

  /** Everything but the variables, in the format of all packages of diffgrad. */
  async stateDict(): Promise<StateDict> {
    const reading = this.#variables.readScalars()
    if (reading) await reading
    const { parameters, ...position } = this.#variables.stateDict()
    const read = await mapValues(parameters, async ({ state, ...rest }) => {
      return { ...rest, state: await readAndDispose(state) }
    })
    return { ...position, parameters: read }
  }

  /**
   * Restores a saved state; that of variables not registered yet as soon as they are.
   *
   * @param options - `strict: false` loads what fits; `transforms` says what happens if those of the state
   * differ.
   * @returns what was not loaded; nothing if `strict`. The state of `unexpected` variables waits for them.
   * @throws TypeError naming the first thing in the state that does not fit.
   */
  loadStateDict(stateDict: StateDict, options: LoadOptions = {}): LoadReport {
    checkLoad(this.rule.name, stateDict, options)
    const { parameters, ...position } = stateDict
    let report: LoadReport | undefined
    tidy(() => {
      const entries = Object.entries(parameters).map(([name, { state, ...rest }]) => {
        const tensors = Object.entries(state).map(([slot, elements]) => {
          if (elements instanceof Float32Array) return [slot, tensor1d(elements)]
          throw new TypeError(`${this.rule.name}: the state of ${name} is not of Float32Array`)
        })
        return [name, { ...rest, state: Object.fromEntries(tensors) }]
      })
      const state = { ...position, parameters: Object.fromEntries(entries) }
      report = this.#variables.loadStateDict(state, options)
    })
    this.iterations_ = position.updates
    return report ?? { missing: [], unexpected: [], mismatched: [] }
  }

  /** Counters, options and state. The tensors belong to the optimizer, and change with the next steps. */
  override async getWeights(): Promise<NamedTensors> {
    const reading = this.#variables.readScalars()
    if (reading) await reading
    let weights: NamedTensors = []
    tidy(() => {
      const state = this.#variables.stateDict()
      const header = this.#header.write(this.iterations, state)
      const tensorOf = (name: string, slot: string): Tensor =>
        this.#variables.stateTensor(name, slot)
      weights = [...header, ...namedStateTensors(state, tensorOf)]
    })
    return weights
  }

  /**
   * Restores the result of `getWeights`.
   *
   * @throws TypeError naming the first thing in which it is another optimizer's.
   */
  override async setWeights(weights: NamedTensors): Promise<void> {
    const { iterations, state } = await readWeights(this.rule.name, weights)
    tidy(() => {
      this.#variables.loadStateDict(state)
    })
    this.#header.allocate()
    this.iterations_ = iterations
  }

  /**
   * Its options as JSON.
   *
   * @throws TypeError if a group has a rule of its own or is selected by a function, or an option follows one.
   */
  override getConfig(): serialization.ConfigDict {
    return encodeConfig(this.rule, this.#variables.optimizer.options)
  }

  /**
   * Creates an optimizer with the options of `getConfig`.
   *
   * @throws TypeError if they are another rule's.
   */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const optimizer = new cls(decodeConfig(config))
    // It is an instance of one of these classes.
    if ('rule' in optimizer) checkConfig(optimizer.rule as UpdateRule, config)
    return optimizer
  }

  /** Disposes of the optimizer state, and forgets all variables. Schedules start again. */
  override dispose(): void {
    this.#variables.dispose()
    this.#header.dispose()
    this.iterations_ = 0
  }
}

/**
 * Gradients as a list. Tensors in the result may be null, which the types of TensorFlow.js deny.
 *
 * @param owner - the name of the rule, for error messages.
 * @throws TypeError if they are neither a list of objects nor a plain object.
 */
function toList(owner: string, gradients: TensorGradients): NamedTensors {
  if (Array.isArray(gradients)) {
    const wrong = gradients.findIndex((each) => !isPlainObject(each))
    if (wrong < 0) return gradients
    throw new TypeError(
      `${owner}: a gradient must be an object { name, tensor }, but gradient ${wrong + 1} is ${describe(gradients[wrong])}`,
    )
  }
  if (!isPlainObject(gradients)) {
    throw new TypeError(
      `${owner}: gradients must be an object of tensors by name, or a list of { name, tensor }, but are ${describe(gradients)}`,
    )
  }
  return Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
}

/** Maps the values of an object, all at once. */
async function mapValues<A, B>(
  named: Readonly<Record<string, A>>,
  map: (value: A) => Promise<B>,
): Promise<Record<string, B>> {
  const entries = Object.entries(named).map(async ([name, value]) => [name, await map(value)])
  return Object.fromEntries(await Promise.all(entries))
}

/** Copies the elements of tensors, and disposes of these. */
const readAndDispose = (
  tensors: Readonly<Record<string, Tensor>>,
): Promise<Record<string, SavedArray>> =>
  mapValues(tensors, async (tensor) => {
    const elements = await tensor.data<'float32'>()
    tensor.dispose()
    return elements.slice()
  })
