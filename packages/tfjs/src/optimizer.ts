import type {
  Hyperparameters,
  Inspection,
  LoadOptions,
  LoadReport,
  OptimizerOptions,
  PartialOptions,
  RuleOptions,
  SavedArray,
  Selector,
  StateDict,
  StepOutcome,
  UpdateRule,
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
import {
  checkConfig,
  decodeConfig,
  encodeConfig,
  expandSelector,
  type NamedTensors,
  namedStateTensors,
  readWeights,
  WeightsHeader,
} from './serialization.ts'
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
   * @param precompiled - kernels of the rule for the cpu backend, generated at build time.
   * @throws RangeError naming an option that is unknown or out of range.
   */
  constructor(
    rule: UpdateRule<H>,
    options: OptimizerOptions<H> = {},
    precompiled: GeneratedKernels = {},
  ) {
    super()
    this.rule = rule
    this.#variables = new Variables(rule, options, selectEngine(precompiled))
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
    const byParameter = this.#variables.gradients(toList(gradients))
    this.#header.allocate()
    const outcome = tidy(() => this.#variables.optimizer.step(byParameter))
    if (outcome === 'updated') this.incrementIterations()
    return outcome
  }

  /**
   * Registers variables before their first gradients do: to swap averages right after loading, say.
   *
   * @throws RangeError naming a variable that cannot be trained.
   * @throws TypeError naming the first variable that its loaded state does not fit. Then nothing has
   * changed.
   */
  bind(variables: readonly Variable[]): void {
    this.#variables.register(variables.map(({ name }) => name))
  }

  /**
   * What the rule would do with these gradients: its intermediate values, such as `xi`, and the
   * `effectiveStep` by which each element would move, before weight decay. Nothing changes.
   */
  async inspect(gradients: TensorGradients): Promise<Inspection> {
    const shown = this.#variables.optimizer.inspect(this.#variables.gradients(toList(gradients)))
    this.#variables.disposeScratch()
    return mapValues(shown, readAndDispose)
  }

  /** Changes the learning rate from the next step on. */
  setLearningRate(learningRate: RuleOptions<Hyperparameters>['learningRate']): void {
    // Every rule has a learning rate.
    this.set({ learningRate } as PartialOptions<H>)
  }

  /**
   * Changes options from the next step on, of all variables or of some.
   *
   * @throws RangeError if a setting is unknown, out of range, or would change the arrays of the state;
   * if nothing is selected, or only part of a group. Then nothing has changed.
   */
  set(changes: PartialOptions<H>, variables?: Selector): void {
    this.#variables.optimizer.set(changes, variables && expandSelector(variables))
  }

  /** The hyperparameters of a variable at its next step, with schedules evaluated. */
  hyperparameters(variable: string): H {
    return this.#variables.optimizer.hyperparameters(this.#variables.parameterName(variable))
  }

  /** Reports the loss, or any figure that should fall, to plateau schedules. */
  report(loss: number): void {
    this.#variables.optimizer.report(loss)
  }

  /**
   * Swaps the weights and their moving average; a second call swaps them back.
   *
   * @throws Error without the option `ema`.
   */
  swapEma(): void {
    tidy(() => this.#variables.optimizer.swapEma())
  }

  /** Everything but the variables, in the format of all packages of diffgrad. */
  async stateDict(): Promise<StateDict> {
    const { parameters, ...position } = this.#variables.stateDict()
    const read = await mapValues(parameters, async ({ state, ...rest }) => {
      return { ...rest, state: await readAndDispose(state) }
    })
    return { ...position, parameters: read }
  }

  /**
   * Restores a saved state; that of variables not registered yet as soon as they are.
   *
   * @param options - how to treat a state with other parameters, or of other transforms.
   * @returns what was not loaded.
   * @throws TypeError naming the first thing in the state that does not fit.
   */
  loadStateDict({ parameters, ...position }: StateDict, options?: LoadOptions): LoadReport {
    let report: LoadReport = { missing: [], unexpected: [], mismatched: [] }
    tidy((): void => {
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
    return report
  }

  /** Counters, options and state. The tensors belong to the optimizer, and change with the next steps. */
  override async getWeights(): Promise<NamedTensors> {
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
    tidy((): void => {
      this.#variables.loadStateDict(state)
    })
    this.#header.allocate()
    this.iterations_ = iterations
  }

  /** Its options as JSON. @throws TypeError if a group is selected by a function. */
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

  /** Disposes of the optimizer state, and forgets all variables. */
  override dispose(): void {
    this.#variables.dispose()
    this.#header.dispose()
    this.iterations_ = 0
  }
}

/** Gradients as a list. Tensors in the result may be null, which the types of TensorFlow.js deny. */
const toList = (gradients: TensorGradients): NamedTensors =>
  Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))

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
