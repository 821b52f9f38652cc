import { ArraysOptimizer, allocate } from '@diffgrad/arrays'
import type { CommonOptions } from '@diffgrad/core'
import { type GradientModel, gradientModel, type Model } from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { createSession, floatsOf, scalarOf, type Tensors } from '../runtime.ts'
import { mustBeFinite } from './finite.ts'
import type { Given, Plan, Stepped, Update } from './update.ts'

type Arrays = Readonly<Record<string, Float32Array>>

/**
 * Moves the weights by the fused kernels of @diffgrad/arrays. The runtime reads the very memory in
 * which the kernels work; only the gradients that it gives are copied.
 */
export class KernelUpdate<O extends CommonOptions> implements Update<O> {
  readonly optimizer: ArraysOptimizer<O>
  readonly model: Model
  readonly weights: Tensors
  readonly #parts: GradientModel
  readonly #session: InferenceSession
  readonly #gradients: Arrays
  readonly #arrays: Arrays
  readonly #skips: boolean

  static async create<O extends CommonOptions>(plan: Plan<O>): Promise<KernelUpdate<O>> {
    const parts = gradientModel(plan.forward, plan.differentiate)
    return new KernelUpdate(
      plan,
      parts,
      await createSession(plan.runtime, parts.model, plan.session),
    )
  }

  private constructor(
    { runtime, optimizer: { rule, ...options } }: Plan<O>,
    parts: GradientModel,
    session: InferenceSession,
  ) {
    const shapes = [...parts.parameters].map(
      ([name, { initial }]) => [name, initial.shape] as const,
    )
    const { parameters, gradients } = allocate(Object.fromEntries(shapes))
    const running = [...parts.statistics].map(
      ([name, { initial }]) => [name, new Float32Array(initial.data.length)] as const,
    )
    this.#parts = parts
    this.#session = session
    this.#gradients = gradients
    this.#arrays = { ...parameters, ...Object.fromEntries(running) }
    const initial = [...parts.parameters, ...parts.statistics]
    for (const [
      name,
      {
        initial: { data },
      },
    ] of initial)
      this.#arrays[name].set(data)
    this.model = parts.model
    this.weights = Object.fromEntries(
      initial.map(
        ([
          name,
          {
            initial: { shape },
          },
        ]) => [name, new runtime.Tensor('float32', this.#arrays[name], shape)],
      ),
    )
    // OptimizerOptions without the rule is what it was with it.
    this.optimizer = new ArraysOptimizer(rule, parameters, options as object)
    this.#skips = options.skipNotFinite === true
  }

  async step({ feeds, outputs, signal, edges }: Given): Promise<Stepped> {
    const { loss: nameOfLoss, parameters, statistics } = this.#parts
    const wanted = [
      nameOfLoss,
      ...[...parameters.values()].map(({ gradient }) => gradient),
      ...[...statistics.values()].map(({ next }) => next),
      ...outputs,
    ]
    const results = await this.#session.run({ ...feeds, ...this.weights }, wanted)
    signal?.throwIfAborted()
    const loss = scalarOf(results, nameOfLoss)
    if (!this.#skips) mustBeFinite(loss, this.optimizer.updates)
    for (const [name, { gradient }] of parameters)
      this.#gradients[name].set(floatsOf(results, gradient))
    const histograms = edges && this.optimizer.histograms(this.#gradients, edges)
    const outcome = this.optimizer.step(this.#gradients)
    if (outcome !== 'skipped')
      for (const [name, { next }] of statistics) this.#arrays[name].set(floatsOf(results, next))
    return { loss, outcome, outputs: results, ...(histograms && { histograms }) }
  }

  write(weights: Arrays): void {
    for (const [name, elements] of Object.entries(weights)) this.#arrays[name].set(elements)
  }

  async release(): Promise<void> {
    await this.#session.release()
    this.optimizer.dispose()
  }
}
