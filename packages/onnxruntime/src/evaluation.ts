import { type DifferentiateOptions, evaluationModel, type Model } from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { type Batch, feedsOf, openSizes } from './batch.ts'
import { inferenceModel } from './model/inference.ts'
import { withWeightsAsInputs, withWeightsInside } from './model/weights.ts'
import {
  createSession,
  type Runtime,
  type SessionOptions,
  scalarOf,
  type Tensors,
} from './runtime.ts'

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

interface Prepared extends Judging {
  readonly session: InferenceSession
}

/** Runs a model as it is after training, with the weights of the moment, one run after the other. */
export class Evaluation {
  readonly #subject: Subject
  readonly #prepared = new Map<string, Prepared>()

  constructor(subject: Subject) {
    this.#subject = subject
  }

  /** The outputs for a batch of any size. */
  async predict(batch: Batch, weights: Tensors): Promise<Tensors> {
    const { forward } = this.#subject
    const make = (): Judging => ({ model: inferenceModel(forward), loss: '' })
    return this.#run(await this.#ready('', weights, make), batch, weights)
  }

  /** The loss of a batch, and the outputs. Every size of batch is prepared once. */
  async evaluate(
    batch: Batch,
    weights: Tensors,
  ): Promise<{ readonly loss: number; readonly outputs: Tensors }> {
    const { forward, differentiate } = this.#subject
    const { mode: _, ...options } = differentiate
    const dimensions = { ...options.dimensions, ...openSizes(forward, batch) }
    const ready = await this.#ready(JSON.stringify(dimensions), weights, () => {
      const { model, loss, state } = evaluationModel(forward, { ...options, dimensions })
      // What training does not move is a part of the model.
      const moving = new Set(Object.keys(weights))
      const resting = [...state].filter(([name]) => !moving.has(name))
      return { model: withWeightsInside(model, new Map(resting)), loss }
    })
    const outputs = await this.#run(ready, batch, weights)
    return { loss: scalarOf(outputs, ready.loss), outputs }
  }

  async release(): Promise<void> {
    const prepared = [...this.#prepared.values()]
    this.#prepared.clear()
    await Promise.all(prepared.map(({ session }) => session.release()))
  }

  async #run({ model, session }: Prepared, batch: Batch, weights: Tensors): Promise<Tensors> {
    const feeds = feedsOf(this.#subject.runtime, model, batch, weights)
    const given = Object.entries(weights).filter(([name]) => session.inputNames.includes(name))
    return session.run({ ...feeds, ...Object.fromEntries(given) })
  }

  /** What was prepared before, or is now. What fails is not kept: it may be a passing fault. */
  async #ready(key: string, weights: Tensors, make: () => Judging): Promise<Prepared> {
    const before = this.#prepared.get(key)
    if (before) return before
    const { runtime, session: options } = this.#subject
    const { model, loss } = make()
    const open = withWeightsAsInputs(model, new Set(Object.keys(weights)))
    const prepared = { model: open, loss, session: await createSession(runtime, open, options) }
    this.#prepared.set(key, prepared)
    return prepared
  }
}
