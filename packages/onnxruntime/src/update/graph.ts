import {
  type Failure,
  type Histogram,
  type Hyperparameters,
  histogramsOf,
  type Kernel,
  Optimizer,
  rulesIn,
  type SavedArray,
  type StateDict,
} from '@diffgrad/core'
import {
  arrayKey,
  gradientModel,
  type Model,
  type Tensor as ModelTensor,
  type TrainStepModel,
  trainStepModel,
} from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { Cache } from '../cache.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { maxSessions } from '../evaluation.ts'
import {
  createSession,
  float32Scalar,
  keepsOutputsOnDevice,
  runSession,
  type Tensors,
} from '../runtime.ts'
import { disposeTensor, StateTensors, statisticArray } from './state-tensors.ts'
import { newView, type TensorView } from './tensor-view.ts'
import { StepTracer, type TracedCall, temporaryArray, type Variable } from './trace.ts'
import {
  keyOf,
  type Sizes,
  type StepInput,
  type StepResult,
  type Update,
  type UpdateSpec,
  withOutputs,
} from './update.ts'

/** A train-step model with its session. */
interface CompiledStep extends TrainStepModel {
  readonly session: InferenceSession
  /** The keys of the variables that are the parts of each input of the state. */
  readonly parts: ReadonlyMap<string, readonly string[]>
}

/**
 * Updates the weights inside the model that computes their gradients. Where the provider can, weights and
 * optimizer state stay on the device: a step moves the batch there, and the loss and metrics back.
 */
export class GraphUpdate<H extends Hyperparameters> implements Update<H> {
  readonly model: Model
  readonly optimizer: Optimizer<Variable, H, TensorView | SavedArray>
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly #spec: UpdateSpec<H>
  readonly #staysOnDevice: boolean
  readonly #tracer: StepTracer
  readonly #state: StateTensors
  readonly #gradients: Readonly<Record<string, Variable>>
  /** The key of the options' sizes. */
  readonly #key: string
  /** Gradient models for batches of other sizes, by which those are checked. */
  readonly #models = new Cache<Model>(maxSessions, async () => undefined)
  /**
   * By the operations of the step, which differ with accumulation or Lookahead, and the sizes of the batch. On
   * a device, tensors of the state belong to the session that made them: see `#limitSessions`.
   */
  readonly #compiled: Cache<CompiledStep>
  readonly #kernelNumbers = new Map<Kernel, number>()

  static async create<H extends Hyperparameters>(spec: UpdateSpec<H>): Promise<GraphUpdate<H>> {
    const update = new GraphUpdate(spec)
    const initial = update.optimizer.stateDict()
    await update.#compile(update.#traceStep(undefined), spec.differentiate.dimensions ?? {})
    update.optimizer.loadStateDict(initial)
    return update
  }

  private constructor(spec: UpdateSpec<H>) {
    const { runtime, forward, differentiate, session } = spec
    const { rule, ...options } = spec.optimizer
    const { model, parameters, statistics } = gradientModel(forward, differentiate)
    const variables = (
      initials: ReadonlyMap<string, { readonly initial: ModelTensor<'float32'> }>,
      array: string,
    ): readonly Variable[] =>
      [...initials].map(([parameter, { initial }]) => ({
        parameter,
        array,
        view: newView(runtime, initial.data.slice(), initial.shape),
      }))
    this.model = model
    this.#spec = spec
    this.#key = keyOf(differentiate.dimensions ?? {})
    const trained = {
      parameters: variables(parameters, 'theta'),
      statistics: variables(statistics, statisticArray),
    }
    this.#staysOnDevice = keepsOutputsOnDevice(session)
    const most = this.#staysOnDevice ? Number.POSITIVE_INFINITY : maxSessions
    this.#compiled = new Cache(most, ({ session }) => session.release())
    this.#tracer = new StepTracer(runtime, this.#staysOnDevice)
    this.#state = new StateTensors(spec, trained, this.#tracer)
    this.shapes = Object.fromEntries(
      this.#state.trained.map(({ parameter, view }) => [parameter, view.shape]),
    )
    this.#gradients = Object.fromEntries(
      trained.parameters.map(({ parameter, view }) => [parameter, { parameter, array: 'g', view }]),
    )
    const named = trained.parameters.map((variable) => {
      const { parameter: name, view } = variable
      return { name, value: variable, shape: view.shape }
    })
    // The rest of OptimizerSpec is OptimizerOptions, which TypeScript cannot derive for a generic H.
    this.optimizer = new Optimizer(this.#tracer, rule, named, options as object)
  }

  get stepModels(): readonly Model[] {
    return this.#compiled.values.map(({ model }) => model)
  }

  async modelFor(sizes: Sizes): Promise<Model> {
    const { forward, differentiate } = this.#spec
    if (keyOf(sizes) === this.#key) return this.model
    return this.#models.load(
      keyOf(sizes),
      () => gradientModel(forward, { ...differentiate, dimensions: sizes }).model,
    )
  }

  async step(input: StepInput): Promise<StepResult> {
    const result = await this.#step(input)
    await this.#limitSessions()
    return result
  }

  async #step({
    sizes = this.#spec.differentiate.dimensions ?? {},
    feeds,
    histogramEdges,
    checkLoss,
    computeMetrics,
  }: StepInput): Promise<StepResult> {
    const before = this.optimizer.stateDict()
    let results: Tensors | undefined
    try {
      const traced = this.#traceStep(histogramEdges)
      const compiled = await this.#compile(traced, sizes, Object.keys(histogramEdges ?? {}))
      results = await this.#run(compiled, traced, feeds)
      const loss = float32Scalar(results, compiled.loss)
      checkLoss(loss)
      const evaluation = await computeMetrics(loss, results)
      const histograms =
        histogramEdges && (await this.#histograms(compiled, results, histogramEdges))
      const { gradientSum } = compiled
      const isSkipped =
        gradientSum !== undefined && !Number.isFinite(float32Scalar(results, gradientSum))
      if (isSkipped) this.#discard(results, before)
      else this.#keep(compiled, traced, results)
      const outcome = isSkipped ? this.optimizer.countSkipped() : traced.outcome
      const { updates, skipped } = this.optimizer
      return { ...evaluation, outcome, updates, skipped, ...(histograms && { histograms }) }
    } catch (error) {
      this.#discard(results ?? {}, before)
      throw error
    }
  }

  async fail({ reason }: Failure): Promise<never> {
    throw reason
  }

  /** The trainer refuses several ranks, whose gradients would have to leave the model. */
  distribute(): void {}

  weights(): Promise<Tensors> {
    return this.#state.weights()
  }

  async swapAverage(): Promise<void> {
    // The evaluation point of a rule is computed outside a step, on the CPU.
    const { rule, groups = [] } = this.#spec.optimizer
    const rules = rulesIn<Hyperparameters>(rule, groups)
    if (rules.some(({ evaluationPoint }) => evaluationPoint)) await this.#state.moveToCpu()
    this.optimizer.swapAverage()
  }

  async readWeights(): Promise<Checkpoint['weights']> {
    const weights: [name: string, Checkpoint['weights'][string]][] = []
    const read = this.#state.reading()
    for (const { parameter, view } of this.#state.trained)
      weights.push([parameter, { shape: view.shape, data: await read(view) }])
    return Object.fromEntries(weights)
  }

  async readOptimizer(): Promise<StateDict> {
    const state = this.optimizer.stateDict()
    const read = this.#state.reading()
    const parameters: [name: string, StateDict['parameters'][string]][] = []
    for (const [name, saved] of Object.entries(state.parameters)) {
      const arrays: [name: string, SavedArray][] = []
      for (const [array, view] of Object.entries(saved.state))
        arrays.push([array, 'tensor' in view ? await read(view) : view])
      parameters.push([name, { ...saved, state: Object.fromEntries(arrays) }])
    }
    return { ...state, parameters: Object.fromEntries(parameters) }
  }

  load({ weights, optimizer }: Pick<Checkpoint, 'weights' | 'optimizer'>): void {
    this.optimizer.loadStateDict(optimizer)
    for (const variable of this.#state.trained) {
      const { data, shape } = weights[variable.parameter]
      variable.view = newView(this.#spec.runtime, data.slice(), shape)
    }
    this.#state.disposeUnused()
  }

  async release(): Promise<void> {
    await this.#state.release() // Tensors on a device belong to the sessions that made them.
    await this.#compiled.release()
  }

  /** Releases all sessions of a device if there are too many, after moving the state to the CPU. */
  async #limitSessions(): Promise<void> {
    if (this.#compiled.values.length <= maxSessions) return
    await this.#state.moveToCpu()
    await this.#compiled.release()
  }

  /** The operations of the optimizer's next step. Advances the optimizer's counters. */
  #traceStep(edges: StepInput['histogramEdges']): TracedCall & Pick<StepResult, 'outcome'> {
    let outcome: StepResult['outcome'] = 'updated'
    const traced = this.#tracer.trace(() => {
      if (edges) {
        const names = Object.keys(this.optimizer.inspect(this.#gradients))
        const empty = names.map((name) => [name, {}] as const)
        histogramsOf(this.#spec.optimizer.rule, Object.fromEntries(empty), edges) // Checks the edges.
      }
      outcome = this.optimizer.step(this.#gradients)
    })
    return { ...traced, outcome }
  }

  /** Compiles a train step, or returns an earlier one with the same operations. */
  async #compile(
    { operations, temporary, assumesFinite }: TracedCall,
    sizes: Sizes,
    histograms: readonly string[] = [],
  ): Promise<CompiledStep> {
    const described = operations.map((operation) =>
      'kernel' in operation
        ? {
            ...operation,
            kernel: this.#numberOf(operation.kernel),
            sums: operation.sums?.map(({ elements }) => this.#numberOf(elements)),
          }
        : operation,
    )
    const key = JSON.stringify([described, assumesFinite, histograms, keyOf(sizes)])
    return this.#compiled.load(key, () =>
      this.#newStep(sizes, {
        update: operations,
        flat: this.#tracer.groups,
        temporary: [...temporary],
        results: histograms.map(temporaryArray),
        gradientSum: assumesFinite,
      }),
    )
  }

  async #newStep(
    dimensions: Sizes,
    options: Omit<Parameters<typeof trainStepModel>[1], 'loss'>,
  ): Promise<CompiledStep> {
    const { runtime, forward, differentiate, outputs, session: sessionOptions } = this.#spec
    const step = trainStepModel(forward, { ...differentiate, ...options, dimensions })
    const model = withOutputs(step.model, forward, outputs)
    const locations = [...step.next.values()].map((name) => [name, 'gpu-buffer'] as const)
    const session = await createSession(runtime, model, {
      ...sessionOptions,
      ...(this.#staysOnDevice && { preferredOutputLocation: Object.fromEntries(locations) }),
    })
    const parts = new Map<string, string[]>()
    const add = (input: string, key: string): void => {
      parts.set(input, [...(parts.get(input) ?? []), key])
    }
    for (const [key, input] of step.arrays) add(input, key)
    for (const name of Object.keys(this.shapes)) {
      const key = arrayKey(name, statisticArray)
      if (this.#state.has(key)) add(name, key)
    }
    return { ...step, model, session, parts }
  }

  async #run(
    { session, coefficients, parts }: CompiledStep,
    traced: TracedCall,
    feeds: Tensors,
  ): Promise<Tensors> {
    const { Tensor } = this.#spec.runtime
    const scalars = coefficients.flatMap((inputs, i) =>
      [...inputs].map(([name, input]) => {
        const value = traced.coefficients[i][name]
        return [input, new Tensor('float32', [value], [])] as const
      }),
    )
    // Some arrays are written, but not read.
    const read = [...parts].filter(([input]) => session.inputNames.includes(input))
    const state = await this.#state.tensors(read)
    return runSession(session, { ...feeds, ...state, ...Object.fromEntries(scalars) })
  }

  /** Takes the results of a step as the new state. */
  #keep(compiled: CompiledStep, { nextScalars }: TracedCall, results: Tensors): void {
    for (const [i, outputs] of compiled.scalars.entries()) {
      const next = nextScalars[i]
      if (!next) continue
      for (const [name, output] of outputs) next[name] = float32Scalar(results, output)
    }
    this.#state.keep(compiled, results)
  }

  /** Goes back to the state before a step. */
  #discard(results: Tensors, before: StateDict<TensorView | SavedArray>): void {
    for (const tensor of Object.values(results)) disposeTensor(tensor)
    this.optimizer.loadStateDict(before)
  }

  async #histograms(
    { results: outputs }: CompiledStep,
    results: Tensors,
    edges: NonNullable<StepInput['histogramEdges']>,
  ): Promise<Readonly<Record<string, Histogram>>> {
    const inspection: Record<string, Record<string, Float32Array>> = {}
    for (const name of Object.keys(edges)) {
      inspection[name] = {}
      for (const parameter of Object.keys(this.#gradients)) {
        const output = outputs.get(arrayKey(parameter, temporaryArray(name)))
        if (output) inspection[name][parameter] = await this.#state.read(results[output])
      }
    }
    return histogramsOf(this.#spec.optimizer.rule, inspection, edges)
  }

  #numberOf(kernel: Kernel): number {
    const number = this.#kernelNumbers.get(kernel) ?? this.#kernelNumbers.size
    this.#kernelNumbers.set(kernel, number)
    return number
  }
}
