import { type DifferentiateOptions, evaluationModel, type Model } from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { type Batch, feedsOf, openSizes } from './batch.ts'
import { inferenceModel } from './model/inference.ts'
import { withWeightsAsInputs, withWeightsInside } from './model/weights.ts'
import { createSession, type Runtime, type SessionOptions, type Tensors } from './runtime.ts'

/** What is evaluated, and on what. */
export interface Subject {
  readonly runtime: Runtime
  readonly session: SessionOptions
  readonly forward: Model
  readonly differentiate: DifferentiateOptions
}

/** A model that gives a loss, or none if it predicts. */
interface Judging {
  readonly model: Model
  readonly loss: string
}

/** Runs a model as it is after training, with the weights of the moment. */
export class Evaluation {
  readonly #subject: Subject
  readonly #ready = new Map<string, Promise<Judging & { readonly session: InferenceSession }>>()

  constructor(subject: Subject) {
    this.#subject = subject
  }

  /** The outputs for a batch of any size. */
  async predict(batch: Batch, weights: Tensors): Promise<Tensors> {
    const { forward } = this.#subject
    const { results } = await this.#run('', batch, weights, () => ({
      model: inferenceModel(forward),
      loss: '',
    }))
    return results
  }

  /** The loss of a batch, and the outputs. Every size of batch is prepared once. */
  evaluate(batch: Batch, weights: Tensors): Promise<{ loss: string; results: Tensors }> {
    const { forward, differentiate } = this.#subject
    const { mode: _, ...options } = differentiate
    const dimensions = { ...options.dimensions, ...openSizes(forward, batch) }
    return this.#run(JSON.stringify(dimensions), batch, weights, () => {
      const { model, loss, state } = evaluationModel(forward, { ...options, dimensions })
      // What training does not move is a part of the model.
      const moving = new Set(Object.keys(weights))
      const resting = [...state].filter(([name]) => !moving.has(name))
      return { model: withWeightsInside(model, new Map(resting)), loss }
    })
  }

  async release(): Promise<void> {
    const ready = await Promise.all(this.#ready.values())
    this.#ready.clear()
    await Promise.all(ready.map(({ session }) => session.release()))
  }

  async #run(
    key: string,
    batch: Batch,
    weights: Tensors,
    make: () => Judging,
  ): Promise<{ loss: string; results: Tensors }> {
    const ready = this.#ready.get(key) ?? this.#prepare(make(), weights)
    this.#ready.set(key, ready)
    const { model, loss, session } = await ready
    const feeds = feedsOf(this.#subject.runtime, model, batch, weights)
    const given = Object.entries(weights).filter(([name]) => session.inputNames.includes(name))
    return { loss, results: await session.run({ ...feeds, ...Object.fromEntries(given) }) }
  }

  async #prepare(
    { model, loss }: Judging,
    weights: Tensors,
  ): Promise<Judging & { readonly session: InferenceSession }> {
    const { runtime, session: options } = this.#subject
    const open = withWeightsAsInputs(model, new Set(Object.keys(weights)))
    return { model: open, loss, session: await createSession(runtime, open, options) }
  }
}
