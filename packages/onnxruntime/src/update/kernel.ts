import { ArraysOptimizer, allocate } from '@diffgrad/arrays'
import type { Hyperparameters, StateDict } from '@diffgrad/core'
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
import type { Checkpoint } from '../checkpoint.ts'
import {
  createSession,
  float32Data,
  float32Scalar,
  type Runtime,
  type Tensors,
} from '../runtime.ts'
import {
  type StepInput,
  type StepResult,
  type Update,
  type UpdateSpec,
  withOutputs,
} from './update.ts'

type Arrays = Readonly<Record<string, Float32Array>>

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
  readonly #session: InferenceSession
  /** The output that gives the loss. */
  readonly #loss: string
  /** The output that gives the gradient of each parameter, by the parameter's name. */
  readonly #gradientOutputs: ReadonlyMap<string, string>
  /** The output that gives the next value of each running statistic, by the statistic's name. */
  readonly #nextOutputs: ReadonlyMap<string, string>
  readonly #gradients: Arrays
  /** The elements of `weights`. */
  readonly #arrays: Arrays
  /** Tensors over `#gradients`, by output; empty if the runtime does not write into them. */
  readonly #preallocated: Tensors

  static async create<H extends Hyperparameters>(spec: UpdateSpec<H>): Promise<KernelUpdate<H>> {
    const whole = gradientModel(spec.forward, spec.differentiate)
    const gradient = { ...whole, model: withOutputs(whole.model, spec.forward, spec.outputs) }
    const session = await createSession(spec.runtime, gradient.model, spec.session)
    return new KernelUpdate(spec, gradient, session, await writesPreallocated(spec.runtime))
  }

  private constructor(
    { runtime, optimizer: { rule, ...options } }: UpdateSpec<H>,
    { model, loss, parameters, statistics }: GradientModel,
    session: InferenceSession,
    preallocates: boolean,
  ) {
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
    this.#loss = loss
    // Only names are kept of the gradient model's maps, so that the initial weights can be freed.
    this.#gradientOutputs = new Map([...parameters].map(([name, { gradient }]) => [name, gradient]))
    this.#nextOutputs = new Map([...statistics].map(([name, { next }]) => [name, next]))
    this.#session = session
    this.#gradients = allocated.gradients
    this.#arrays = { ...allocated.parameters, ...Object.fromEntries(statisticArrays) }
    const tensors = [...parameters, ...statistics].map(([name, { initial }]) => {
      this.#arrays[name].set(initial.data)
      return [name, new runtime.Tensor('float32', this.#arrays[name], initial.shape)] as const
    })
    this.#weights = Object.fromEntries(tensors)
    const preallocated = [...parameters].map(([name, { gradient, initial }]) => [
      gradient,
      new runtime.Tensor('float32', this.#gradients[name], initial.shape),
    ])
    this.#preallocated = preallocates ? Object.fromEntries(preallocated) : {}
    // The rest of OptimizerSpec is OptimizerOptions, which TypeScript cannot derive for a generic H.
    this.optimizer = new ArraysOptimizer(rule, allocated.parameters, options as object)
  }

  async step({ feeds, histogramEdges, computeMetrics }: StepInput): Promise<StepResult> {
    const fetches = this.#session.outputNames.map((name) => [
      name,
      this.#preallocated[name] ?? null,
    ])
    const results = await this.#session.run(
      { ...feeds, ...this.#weights },
      Object.fromEntries(fetches),
    )
    const evaluation = await computeMetrics(float32Scalar(results, this.#loss), results)
    for (const [name, output] of this.#gradientOutputs)
      if (!(output in this.#preallocated)) this.#gradients[name].set(float32Data(results, output))
    const histograms = histogramEdges && this.optimizer.histograms(this.#gradients, histogramEdges)
    const outcome = this.optimizer.step(this.#gradients)
    if (outcome !== 'skipped')
      for (const [name, next] of this.#nextOutputs)
        this.#arrays[name].set(float32Data(results, next))
    const { updates } = this.optimizer
    return { ...evaluation, outcome, updates, ...(histograms && { histograms }) }
  }

  async weights(): Promise<Tensors> {
    return this.#weights
  }

  async readWeights(): Promise<Checkpoint['weights']> {
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
    await this.#session.release()
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
