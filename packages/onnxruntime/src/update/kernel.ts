import { ArraysOptimizer, allocate } from '@diffgrad/arrays'
import type { Hyperparameters } from '@diffgrad/core'
import { type GradientModel, gradientModel, type Model } from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { createSession, floatsOf, scalarOf, type Tensors } from '../runtime.ts'
import { writesInPlace } from './in-place.ts'
import type { Given, Plan, StepResult, Update } from './update.ts'

type Arrays = Readonly<Record<string, Float32Array>>

/**
 * Moves the weights by the fused kernels of @diffgrad/arrays. The runtime reads the very memory in
 * which the kernels work, and writes the gradients there, if it can; else they are copied.
 */
export class KernelUpdate<O extends Hyperparameters> implements Update<O> {
  readonly optimizer: ArraysOptimizer<O>
  readonly model: Model
  readonly weights: Tensors
  /** The outputs that give the loss, each parameter's gradient, and what each statistic becomes. */
  readonly #loss: string
  readonly #gradientOf: ReadonlyMap<string, string>
  readonly #nextOf: ReadonlyMap<string, string>
  readonly #session: InferenceSession
  readonly #gradients: Arrays
  readonly #arrays: Arrays
  /** What the runtime writes gradients into, by the names of its outputs. */
  readonly #targets: Tensors

  static async create<O extends Hyperparameters>(plan: Plan<O>): Promise<KernelUpdate<O>> {
    const parts = gradientModel(plan.forward, plan.differentiate)
    const session = await createSession(plan.runtime, parts.model, plan.session)
    return new KernelUpdate(plan, parts, session, await writesInPlace(plan.runtime))
  }

  private constructor(
    { runtime, optimizer: { rule, ...options } }: Plan<O>,
    parts: GradientModel,
    session: InferenceSession,
    inPlace: boolean,
  ) {
    const shapes = [...parts.parameters].map(
      ([name, { initial }]) => [name, initial.shape] as const,
    )
    const { parameters, gradients } = allocate(Object.fromEntries(shapes))
    const running = [...parts.statistics].map(
      ([name, { initial }]) => [name, new Float32Array(initial.data.length)] as const,
    )
    // Of what the model began with, nothing is kept: of a large model, that is a lot of memory.
    this.#loss = parts.loss
    this.#gradientOf = new Map(
      [...parts.parameters].map(([name, { gradient }]) => [name, gradient]),
    )
    this.#nextOf = new Map([...parts.statistics].map(([name, { next }]) => [name, next]))
    this.#session = session
    this.#gradients = gradients
    this.#arrays = { ...parameters, ...Object.fromEntries(running) }
    const both = [...parts.parameters, ...parts.statistics]
    for (const [name, { initial }] of both) this.#arrays[name].set(initial.data)
    this.model = parts.model
    this.weights = Object.fromEntries(
      both.map(([name, { initial }]) => [
        name,
        new runtime.Tensor('float32', this.#arrays[name], initial.shape),
      ]),
    )
    const targets = [...parts.parameters].map(
      ([name, { gradient, initial }]) =>
        [gradient, new runtime.Tensor('float32', gradients[name], initial.shape)] as const,
    )
    this.#targets = inPlace ? Object.fromEntries(targets) : {}
    // OptimizerOptions without the rule is what it was with it.
    this.optimizer = new ArraysOptimizer(rule, parameters, options as object)
  }

  async step({ feeds, outputs, edges, judge }: Given): Promise<StepResult> {
    const wanted = [this.#loss, ...this.#gradientOf.values(), ...this.#nextOf.values(), ...outputs]
    const fetches = Object.fromEntries(wanted.map((name) => [name, this.#targets[name] ?? null]))
    const results = await this.#session.run({ ...feeds, ...this.weights }, fetches)
    const judgement = await judge(scalarOf(results, this.#loss), results)
    for (const [name, gradient] of this.#gradientOf)
      if (!(gradient in this.#targets)) this.#gradients[name].set(floatsOf(results, gradient))
    const histograms = edges && this.optimizer.histograms(this.#gradients, edges)
    const outcome = this.optimizer.step(this.#gradients)
    if (outcome !== 'skipped')
      for (const [name, next] of this.#nextOf) this.#arrays[name].set(floatsOf(results, next))
    const { updates } = this.optimizer
    return { ...judgement, outcome, updates, ...(histograms && { histograms }) }
  }

  write(weights: Arrays): void {
    for (const [name, elements] of Object.entries(weights)) this.#arrays[name].set(elements)
  }

  async release(): Promise<void> {
    await this.#session.release()
    this.optimizer.dispose()
  }
}
