import {
  type Histogram,
  type Hyperparameters,
  histogramsOf,
  type Kernel,
  Optimizer,
  type SavedArray,
  type StateDict,
} from '@diffgrad/core'
import {
  arrayKey,
  Graph,
  gradientModel,
  type Model,
  type Tensor as ModelTensor,
  reshape,
  slice,
  type TrainStepModel,
  toModel,
  trainStepModel,
} from '@diffgrad/onnx'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { Cache } from '../cache.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { TrainerError } from '../errors.ts'
import { maxSessions } from '../evaluation.ts'
import {
  createSession,
  float32Scalar,
  isDeviceLost,
  keepsOutputsOnDevice,
  messageOf,
  type Tensors,
} from '../runtime.ts'
import {
  newView,
  partsOf,
  sizeOf,
  TensorReader,
  type TensorView,
  wholeTensor,
} from './tensor-view.ts'
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
 * Train steps with other operations that are kept: the first step, accumulation, Lookahead and so on. On a
 * device all are kept, since tensors of the state belong to the session that made them.
 */
const maxCompiledSteps = 8

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
  readonly #reader: TensorReader
  readonly #parameters: readonly Variable[]
  readonly #gradients: Readonly<Record<string, Variable>>
  readonly #statistics: readonly Variable[]
  /** The key of the options' sizes. */
  readonly #key: string
  /** Gradient models for batches of other sizes, by which those are checked. */
  readonly #models = new Cache<Model>(maxSessions, async () => undefined)
  /** By the operations of the step, and the sizes of the batch. */
  readonly #compiled = new Map<string, CompiledStep>()
  readonly #kernelNumbers = new Map<Kernel, number>()
  /** The session that cuts flat weights into tensors, and its results for the current weights. */
  #splitter: InferenceSession | undefined
  #split: { readonly from: readonly TensorView[]; readonly weights: Tensors } | undefined

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
    this.#parameters = variables(parameters, 'theta')
    this.#statistics = variables(statistics, 'statistic')
    this.#staysOnDevice = keepsOutputsOnDevice(session)
    this.#reader = new TensorReader(runtime, session)
    this.#tracer = new StepTracer(runtime, this.#staysOnDevice)
    const weights = [...this.#parameters, ...this.#statistics]
    this.shapes = Object.fromEntries(weights.map(({ parameter, view }) => [parameter, view.shape]))
    this.#gradients = Object.fromEntries(
      this.#parameters.map(({ parameter, view }) => [parameter, { parameter, array: 'g', view }]),
    )
    const named = this.#parameters.map((variable) => {
      const { parameter: name, view } = variable
      return { name, value: variable, shape: view.shape }
    })
    // The rest of OptimizerSpec is OptimizerOptions, which TypeScript cannot derive for a generic H.
    this.optimizer = new Optimizer(this.#tracer, rule, named, options as object)
  }

  async modelFor(sizes: Sizes): Promise<Model> {
    const { forward, differentiate } = this.#spec
    if (keyOf(sizes) === this.#key) return this.model
    return this.#models.load(
      keyOf(sizes),
      () => gradientModel(forward, { ...differentiate, dimensions: sizes }).model,
    )
  }

  async step({
    sizes = this.#spec.differentiate.dimensions ?? {},
    feeds,
    histogramEdges,
    computeMetrics,
  }: StepInput): Promise<StepResult> {
    const before = this.optimizer.stateDict()
    let results: Tensors | undefined
    try {
      const traced = this.#traceStep(histogramEdges)
      const compiled = await this.#compile(traced, sizes, Object.keys(histogramEdges ?? {}))
      results = await this.#run(compiled, traced, feeds)
      const evaluation = await computeMetrics(float32Scalar(results, compiled.loss), results)
      const histograms =
        histogramEdges && (await this.#histograms(compiled, results, histogramEdges))
      const { gradientSum } = compiled
      const isSkipped =
        gradientSum !== undefined && !Number.isFinite(float32Scalar(results, gradientSum))
      if (isSkipped) this.#discard(results, before)
      else this.#keep(compiled, results)
      const outcome = isSkipped ? 'skipped' : traced.outcome
      const { updates } = this.optimizer
      return { ...evaluation, outcome, updates, ...(histograms && { histograms }) }
    } catch (error) {
      this.#discard(results ?? {}, before)
      throw error
    }
  }

  async weights(): Promise<Tensors> {
    const statistics = await Promise.all(this.#statistics.map((one) => this.#entry(one)))
    if (!this.#staysOnDevice) {
      const parameters = await Promise.all(this.#parameters.map((one) => this.#entry(one)))
      return Object.fromEntries([...parameters, ...statistics])
    }
    const from = this.#parameters.map(({ view }) => view)
    if (this.#split?.from.some((view, i) => view !== from[i])) this.#releaseSplit()
    this.#split ??= { from, weights: await this.#splitWeights() }
    return { ...this.#split.weights, ...Object.fromEntries(statistics) }
  }

  async readWeights(): Promise<Checkpoint['weights']> {
    const weights: [name: string, Checkpoint['weights'][string]][] = []
    const read = this.#reading()
    for (const { parameter, view } of [...this.#parameters, ...this.#statistics])
      weights.push([parameter, { shape: view.shape, data: await read(view) }])
    return Object.fromEntries(weights)
  }

  async readOptimizer(): Promise<StateDict> {
    const state = this.optimizer.stateDict()
    const read = this.#reading()
    const parameters: [name: string, StateDict['parameters'][string]][] = []
    for (const [name, saved] of Object.entries(state.parameters)) {
      const arrays: [name: string, SavedArray][] = []
      for (const [array, view] of Object.entries(saved.state))
        arrays.push([array, 'tensor' in view ? await read(view) : view])
      parameters.push([name, { ...saved, state: Object.fromEntries(arrays) }])
    }
    return { ...state, parameters: Object.fromEntries(parameters) }
  }

  /** Reads views, each of their tensors once. */
  #reading(): (view: TensorView) => Promise<Float32Array> {
    const tensors = new Map<Tensor, Promise<Float32Array>>()
    return async (view) => {
      const reading = tensors.get(view.tensor) ?? this.#reader.read(view.tensor)
      tensors.set(view.tensor, reading)
      return (await reading).subarray(view.offset, view.offset + sizeOf(view))
    }
  }

  load({ weights, optimizer }: Pick<Checkpoint, 'weights' | 'optimizer'>): void {
    this.optimizer.loadStateDict(optimizer)
    for (const variable of [...this.#parameters, ...this.#statistics]) {
      const { data, shape } = weights[variable.parameter]
      variable.view = newView(this.#spec.runtime, data.slice(), shape)
    }
    this.#disposeUnused([])
  }

  async release(): Promise<void> {
    // Tensors on a device belong to the session that made them.
    this.#releaseSplit()
    for (const { view } of this.#variables()) disposeTensor(view.tensor)
    this.#disposeUnused([])
    const sessions = [...this.#compiled.values()].map(({ session }) => session)
    this.#compiled.clear()
    await Promise.all([...sessions, this.#splitter, this.#reader].map((one) => one?.release()))
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
        ? { ...operation, kernel: this.#numberOf(operation.kernel) }
        : operation,
    )
    const key = JSON.stringify([described, assumesFinite, histograms, keyOf(sizes)])
    const existing = this.#compiled.get(key)
    this.#compiled.delete(key)
    const compiled =
      existing ??
      (await this.#newStep(sizes, {
        update: operations,
        flat: this.#tracer.groups,
        temporary: [...temporary],
        results: histograms.map(temporaryArray),
        gradientSum: assumesFinite,
      }))
    this.#compiled.set(key, compiled)
    const [oldest] = this.#compiled
    if (oldest && this.#compiled.size > maxCompiledSteps && !this.#staysOnDevice) {
      this.#compiled.delete(oldest[0])
      await oldest[1].session.release()
    }
    return compiled
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
    for (const { parameter } of this.#statistics) add(parameter, arrayKey(parameter, 'statistic'))
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
    const variables = this.#variablesByKey()
    const state: [input: string, Tensor][] = []
    for (const [input, keys] of parts) {
      if (!session.inputNames.includes(input)) continue // Written, but not read.
      const found = keys.flatMap((key) => variables.get(key) ?? [])
      state.push([input, await this.#tensorOf(found, keys.length > 1 || this.#isFlat(found))])
    }
    try {
      return await session.run({ ...feeds, ...Object.fromEntries([...state, ...scalars]) })
    } catch (cause) {
      if (!isDeviceLost(cause)) throw cause
      throw new TrainerError(
        `the device was lost (${messageOf(cause)}), and with it the state of the training; create a new trainer and load the last checkpoint`,
        { cause },
      )
    }
  }

  #isFlat([{ parameter, array }]: readonly Variable[]): boolean {
    return array !== 'statistic' && this.#tracer.groups.some((group) => group.includes(parameter))
  }

  /** The tensor of an input: that of its only variable, or all of them as one vector. */
  async #tensorOf(variables: readonly Variable[], isVector: boolean): Promise<Tensor> {
    const { runtime } = this.#spec
    const views = variables.map(({ view }) => view)
    const whole = wholeTensor(views)
    if (whole && (!isVector || whole.dims.length === 1)) return whole
    const data = new Float32Array(views.reduce((sum, view) => sum + sizeOf(view), 0))
    let offset = 0
    for (const view of views) {
      const elements = await this.#reader.readView(view)
      data.set(elements, offset)
      offset += elements.length
    }
    const [{ shape }] = views
    const tensor = new runtime.Tensor('float32', data, isVector ? [data.length] : shape)
    this.#replace(variables, tensor)
    return tensor
  }

  /** Takes the results of a step as the new state. */
  #keep({ next, parts }: CompiledStep, results: Tensors): void {
    const variables = this.#variablesByKey()
    const kept: Tensor[] = []
    for (const [input, output] of next) {
      const keys = parts.get(input) ?? []
      const tensor = results[output]
      this.#replace(
        keys.flatMap((key) => variables.get(key) ?? []),
        tensor,
      )
      kept.push(tensor)
    }
    this.#disposeUnused(kept)
  }

  #replace(variables: readonly Variable[], tensor: Tensor): void {
    const shapes = variables.map(({ view }) => view.shape)
    for (const [i, view] of partsOf(tensor, shapes).entries()) {
      this.#tracked.add(variables[i].view.tensor)
      variables[i].view = view
    }
  }

  /** Tensors that no variable may have any more. */
  readonly #tracked = new Set<Tensor>()

  /** Frees the memory of tensors on the device that are no longer part of the state. */
  #disposeUnused(kept: readonly Tensor[]): void {
    const used = new Set([...kept, ...this.#variables().map(({ view }) => view.tensor)])
    for (const tensor of this.#tracked) {
      if (used.has(tensor)) continue
      disposeTensor(tensor)
      this.#tracked.delete(tensor)
    }
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
      for (const { parameter } of this.#parameters) {
        const output = outputs.get(arrayKey(parameter, temporaryArray(name)))
        if (output) inspection[name][parameter] = await this.#reader.read(results[output])
      }
    }
    return histogramsOf(this.#spec.optimizer.rule, inspection, edges)
  }

  async #entry(variable: Variable): Promise<readonly [string, Tensor]> {
    return [variable.parameter, await this.#tensorOf([variable], false)]
  }

  /** The parameters as tensors of their own, on the device if they lie there. */
  async #splitWeights(): Promise<Tensors> {
    const { runtime, session } = this.#spec
    const { groups } = this.#tracer
    const variables = this.#variablesByKey()
    const vectors: [input: string, Tensor][] = []
    for (const [i, names] of groups.entries()) {
      const found = names.flatMap((name) => variables.get(arrayKey(name, 'theta')) ?? [])
      vectors.push([`theta/${i}`, await this.#tensorOf(found, true)])
    }
    if (vectors.every(([, tensor]) => tensor.location === 'cpu'))
      return Object.fromEntries(
        await Promise.all(
          this.#parameters.map(async ({ parameter, view }) => [
            parameter,
            new runtime.Tensor('float32', await this.#reader.readView(view), view.shape),
          ]),
        ),
      )
    const shapes = groups.map((names) => names.map((name) => [name, this.shapes[name]] as const))
    const outputs = groups.flat().map((name) => [name, 'gpu-buffer'] as const)
    this.#splitter ??= await createSession(runtime, splitModel(shapes), {
      ...session,
      preferredOutputLocation: Object.fromEntries(outputs),
    })
    return this.#splitter.run(Object.fromEntries(vectors))
  }

  #releaseSplit(): void {
    for (const tensor of Object.values(this.#split?.weights ?? {})) disposeTensor(tensor)
    this.#split = undefined
  }

  #variables(): readonly Variable[] {
    return [...this.#parameters, ...this.#statistics, ...this.#tracer.state.values()]
  }

  #variablesByKey(): ReadonlyMap<string, Variable> {
    return new Map(
      this.#variables().map((variable) => [arrayKey(variable.parameter, variable.array), variable]),
    )
  }

  #numberOf(kernel: Kernel): number {
    const number = this.#kernelNumbers.get(kernel) ?? this.#kernelNumbers.size
    this.#kernelNumbers.set(kernel, number)
    return number
  }
}

/** Only tensors on a device hold memory that the garbage collector does not know. */
function disposeTensor(tensor: Tensor): void {
  if (tensor.location === 'gpu-buffer') tensor.dispose()
}

/** A model that cuts vectors into parameters. */
function splitModel(
  groups: readonly (readonly (readonly [name: string, shape: readonly number[]])[])[],
): Model {
  const graph = new Graph()
  const sizes = groups.map((group) => group.map(([, shape]) => shape.reduce((a, b) => a * b, 1)))
  const outputs = groups.flatMap((group, i) => {
    const total = sizes[i].reduce((a, b) => a + b, 0)
    const vector = graph.input(`theta/${i}`, 'float32', [total])
    let start = 0
    return group.map(([name, shape], k) => {
      const end = start + sizes[i][k]
      const part = reshape(slice(vector, [{ axis: 0, start, end }]), shape)
      start = end
      return [name, part] as const
    })
  })
  return toModel({ name: 'weights', outputs: new Map(outputs) })
}
