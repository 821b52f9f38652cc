import { ArraysOptimizer, allocate } from '@diffgrad/arrays'
import { attemptAsync, type Failure, type Hyperparameters, type StateDict } from '@diffgrad/core'
import {
  applyOperator,
  type GradientModel,
  Graph,
  gradientModel,
  type Model,
  toModel,
  writeModel,
} from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { Cache } from '../cache.ts'
import type { Checkpoint } from '../checkpoint.ts'
import { maxSessions } from '../evaluation.ts'
import {
  createSession,
  float32Data,
  float32Scalar,
  type Runtime,
  runSession,
  type Tensors,
} from '../runtime.ts'
import { FigureExchange } from './rank-figures.ts'
import {
  keyOf,
  type Sizes,
  type StepInput,
  type StepResult,
  type Update,
  type UpdateSpec,
  withOutputs,
  withWeights,
} from './update.ts'

type Arrays = Readonly<Record<string, Float32Array>>

/** A gradient model for batches of some sizes. */
interface SizedModel {
  readonly model: Model
  /** The output that gives the loss. */
  readonly loss: string
  /** The output that gives the gradient of each parameter, by the parameter's name. */
  readonly gradients: ReadonlyMap<string, string>
  /** The running statistics, by name. */
  readonly statistics: GradientModel['statistics']
  session: InferenceSession | undefined
}

/**
 * Updates the weights by the fused kernels of @diffgrad/arrays. The runtime reads the arrays that the
 * kernels update. It writes gradients into arrays that the kernels read if it supports preallocated
 * outputs; else they are copied. Up to onnxruntime-node 1.30, inputs are not copied; of every output, even
 * a preallocated one, `run` returns a copy. Later releases copy inputs instead: `pnpm bench operators` times
 * both.
 */
export class KernelUpdate<H extends Hyperparameters> implements Update<H> {
  readonly optimizer: ArraysOptimizer<H>
  readonly model: Model
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly #weights: Tensors
  /** Without the optimizer's options. The forward model shares the trained weights. */
  readonly #spec: Omit<UpdateSpec<H>, 'optimizer'>
  /** The sizes of the options. */
  readonly #sizes: Sizes
  /** By sizes. */
  readonly #models = new Cache<SizedModel>(maxSessions, async ({ session }) => session?.release())
  readonly #gradients: Arrays
  /** The elements of `weights`. */
  readonly #arrays: Arrays
  readonly #statistics: GradientModel['statistics']
  /** The exchange with other ranks, if there are any. */
  #figures: FigureExchange | undefined
  /** Tensors over `#gradients`, by parameter; empty if the runtime does not write into them. */
  readonly #preallocated: Tensors

  static async create<H extends Hyperparameters>(spec: UpdateSpec<H>): Promise<KernelUpdate<H>> {
    const batchStatistics = spec.ranks !== undefined
    const gradient = gradientModel(spec.forward, spec.differentiate, { batchStatistics })
    const update = new KernelUpdate(spec, gradient, await writesPreallocated(spec.runtime))
    const { dimensions = {} } = spec.differentiate
    const sized = await update.#load(dimensions, () => gradient)
    await update.#sessionOf(sized)
    return update
  }

  private constructor(
    { optimizer: { rule, ...options }, ...spec }: UpdateSpec<H>,
    { model, parameters, statistics }: GradientModel,
    preallocates: boolean,
  ) {
    const { runtime } = spec
    const shapes = [...parameters].map(([name, { initial }]) => [name, initial.shape])
    const allocated = allocate(Object.fromEntries(shapes))
    this.shapes = Object.fromEntries(
      [...parameters, ...statistics].map(([name, { initial }]) => [name, initial.shape]),
    )
    const statisticArrays = [...statistics].map(([name, { initial }]) => [
      name,
      new Float32Array(initial.data.length),
    ])
    this.model = model
    this.#statistics = statistics
    this.#sizes = spec.differentiate.dimensions ?? {}
    this.#gradients = allocated.gradients
    this.#arrays = { ...allocated.parameters, ...Object.fromEntries(statisticArrays) }
    const tensors = [...parameters, ...statistics].map(([name, { initial }]) => {
      this.#arrays[name].set(initial.data)
      return [name, new runtime.Tensor('float32', this.#arrays[name], initial.shape)] as const
    })
    this.#weights = Object.fromEntries(tensors)
    const preallocated = [...parameters].map(([name, { initial }]) => [
      name,
      new runtime.Tensor('float32', this.#gradients[name], initial.shape),
    ])
    this.#preallocated = preallocates ? Object.fromEntries(preallocated) : {}
    // The initial weights can be freed.
    this.#spec = { ...spec, forward: withWeights(spec.forward, this.#weightElements()) }
    // The rest of OptimizerSpec is OptimizerOptions, which TypeScript cannot derive for a generic H.
    this.optimizer = new ArraysOptimizer(rule, allocated.parameters, options as object)
  }

  get stepModels(): readonly Model[] {
    return [this.model]
  }

  async modelFor(sizes: Sizes): Promise<Model> {
    return (await this.#load(sizes)).model
  }

  async step(input: StepInput): Promise<StepResult> {
    if (this.#figures) return this.#stepOfRank(this.#figures, input)
    const { sized, loss, results } = await this.#run(input)
    input.checkLoss(loss)
    const evaluation = await input.computeMetrics(loss, results)
    const histograms = this.#takeGradients(sized, results, input)
    const outcome = this.optimizer.step(this.#gradients)
    if (outcome !== 'skipped')
      for (const [name, { next }] of sized.statistics)
        this.#arrays[name].set(float32Data(results, next))
    const { updates, skipped } = this.optimizer
    return { ...evaluation, outcome, updates, skipped, ...(histograms && { histograms }) }
  }

  async swapAverage(): Promise<void> {
    this.optimizer.swapAverage()
  }

  distribute(): void {
    const { ranks } = this.#spec
    if (!ranks) return
    this.optimizer.distribute(ranks)
    this.#figures = new FigureExchange(ranks, this.#spec.metrics, this.#statistics)
  }

  async fail(failure: Failure): Promise<never> {
    await this.#figures?.exchange({ failure })
    throw failure.reason
  }

  /** A step of one of several ranks, which is decided by figures that all of them have. */
  async #stepOfRank(figures: FigureExchange, input: StepInput): Promise<StepResult> {
    const call = await attemptAsync(async () => {
      const { sized, loss, results } = await this.#run(input, figures.counts(this.#arrays))
      const evaluation = await input.computeMetrics(loss, results)
      const histograms = this.#takeGradients(sized, results, input)
      const statistics = figures.statisticsOf(sized.statistics, results)
      return { evaluation, statistics, ...(histograms && { histograms }) }
    })
    const { evaluation, ranks } = await figures.exchange(call)
    for (const [rank, one] of ranks.entries()) input.checkLoss(one.evaluation.loss, rank)
    const outcome = await this.optimizer.stepAsync(this.#gradients)
    if (outcome !== 'skipped') figures.advance(this.#arrays, ranks)
    const { updates, skipped } = this.optimizer
    const all = ranks.map((one) => one.evaluation)
    const { histograms } = call.value ?? {}
    return {
      ...evaluation,
      outcome,
      updates,
      skipped,
      ranks: all,
      ...(histograms && { histograms }),
    }
  }

  /**
   * Computes loss and gradients.
   *
   * @param counts - running statistics of one element that this batch has instead of the current ones.
   */
  async #run(
    { sizes, feeds }: StepInput,
    counts: ReadonlyMap<string, number> = new Map(),
  ): Promise<{ readonly sized: SizedModel; readonly loss: number; readonly results: Tensors }> {
    const sized = await this.#load(sizes ?? this.#sizes)
    const session = await this.#sessionOf(sized)
    const preallocated = [...sized.gradients].map(([name, output]) => [
      output,
      this.#preallocated[name] ?? null,
    ])
    const { Tensor } = this.#spec.runtime
    const counted = [...counts].map(([name, count]) => [name, new Tensor('float32', [count], [1])])
    const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]))
    const results = await runSession(
      session,
      { ...feeds, ...this.#weights, ...Object.fromEntries(counted) },
      { ...fetches, ...Object.fromEntries(preallocated) },
    )
    return { sized, loss: float32Scalar(results, sized.loss), results }
  }

  /** Takes gradients from results, and computes their histograms if there are edges. */
  #takeGradients(
    sized: SizedModel,
    results: Tensors,
    { histogramEdges }: StepInput,
  ): StepResult['histograms'] {
    for (const [name, output] of sized.gradients)
      if (!(name in this.#preallocated)) this.#gradients[name].set(float32Data(results, output))
    return histogramEdges && this.optimizer.histograms(this.#gradients, histogramEdges)
  }

  /** The gradient model for some sizes, without its session, so that a batch is checked before that is created. */
  #load(sizes: Sizes, build?: () => GradientModel): Promise<SizedModel> {
    const { forward, differentiate, outputs, ranks } = this.#spec
    return this.#models.load(keyOf(sizes), () => {
      const options = { ...differentiate, dimensions: sizes }
      const batchStatistics = ranks !== undefined
      const gradient = build?.() ?? gradientModel(forward, options, { batchStatistics })
      const { model, loss, parameters, statistics } = gradient
      return {
        model: withOutputs(model, forward, outputs),
        loss,
        gradients: new Map([...parameters].map(([name, one]) => [name, one.gradient])),
        statistics,
        session: undefined,
      }
    })
  }

  /** The session of a model, created at the first call. A failure is not kept. */
  async #sessionOf(sized: SizedModel): Promise<InferenceSession> {
    const { runtime, session: options } = this.#spec
    sized.session ??= await createSession(runtime, sized.model, options)
    return sized.session
  }

  async weights(): Promise<Tensors> {
    return this.#weights
  }

  async readWeights(): Promise<Checkpoint['weights']> {
    return this.#weightElements()
  }

  /** The elements of the weights, not copied. */
  #weightElements(): Checkpoint['weights'] {
    const weights = Object.entries(this.shapes).map(([name, shape]) => [
      name,
      { shape, data: this.#arrays[name] },
    ])
    return Object.fromEntries(weights)
  }

  async readOptimizer(): Promise<StateDict> {
    return this.optimizer.stateDict()
  }

  load({ weights, optimizer }: Pick<Checkpoint, 'weights' | 'optimizer'>): void {
    this.optimizer.loadStateDict(optimizer)
    for (const [name, { data }] of Object.entries(weights)) this.#arrays[name].set(data)
  }

  async release(): Promise<void> {
    await this.#models.release()
    this.optimizer.dispose()
  }
}

/**
 * Whether a runtime writes an output into the tensor that is passed for it. onnxruntime-node does;
 * onnxruntime-web accepts the tensor and leaves it unchanged.
 */
async function writesPreallocated({ InferenceSession, Tensor }: Runtime): Promise<boolean> {
  const graph = new Graph()
  const x = graph.input('x', 'float32', [1])
  const y = applyOperator(graph, 'Neg', [x]).output()
  const model = toModel({ name: 'preallocated output', outputs: new Map([['y', y]]) })
  const session = await InferenceSession.create(writeModel(model), { intraOpNumThreads: 1 })
  const output = new Tensor('float32', new Float32Array(1), [1])
  await session.run({ x: new Tensor('float32', Float32Array.of(1), [1]) }, { y: output })
  await session.release()
  return output.data[0] === -1
}
