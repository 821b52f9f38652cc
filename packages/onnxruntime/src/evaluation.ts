import {
  type DifferentiateOptions,
  evaluationModel,
  inferenceModel,
  type Model,
  type Tensor,
} from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { type Batch, symbolicDimensions, toFeeds } from './batch.ts'
import { Cache } from './cache.ts'
import {
  createSession,
  float32Scalar,
  type Runtime,
  runSession,
  type SessionOptions,
  type Tensors,
} from './runtime.ts'

/** The model to evaluate, its loss, and the runtime that runs it. */
export interface EvaluationSpec {
  readonly runtime: Runtime
  readonly session: SessionOptions
  readonly forward: Model
  readonly differentiate: DifferentiateOptions
}

/** A model with the session that runs it. */
type WithSession<M> = M & { readonly session: InferenceSession }

interface InferenceModel {
  readonly model: Model
}

interface LossModel extends InferenceModel {
  /** The output that gives the loss. */
  readonly loss: string
}

/** Sessions that are kept for batches of other sizes: a session of XResNet-18 takes some 100 MB. */
export const maxSessions: number = 8

/** Releases the session of a model. */
const releaseSession = ({ session }: { readonly session: InferenceSession }): Promise<void> =>
  session.release()

/** Runs a model in evaluation mode, on the weights that each call passes. */
export class Evaluation {
  readonly #spec: EvaluationSpec
  /** By the lengths of the symbolic dimensions, as `#evaluations`. */
  readonly #inference = new Cache<WithSession<InferenceModel>>(maxSessions, releaseSession)
  readonly #evaluations = new Cache<WithSession<LossModel>>(maxSessions, releaseSession)

  constructor(spec: EvaluationSpec) {
    this.#spec = spec
  }

  /**
   * The outputs for a batch of any size. Models with convolutions or rewrite rules have one session for
   * each size.
   */
  async predict(batch: Batch, weights: Tensors): Promise<Tensors> {
    const { forward, differentiate } = this.#spec
    const { dimensions, shapes, lowering, rewriteRules, shapeRules } = differentiate
    const isStatic = rewriteRules || forward.nodes.some(({ operator }) => operator === 'Conv')
    const sizes = isStatic ? { ...dimensions, ...symbolicDimensions(forward, batch) } : {}
    const inference = await this.#inference.load(JSON.stringify(sizes), () => {
      const model = withWeightsAsInputs(forward, weights)
      const rules = { ...(rewriteRules && { rewriteRules }), ...(shapeRules && { shapeRules }) }
      const options = { dimensions: sizes, ...(shapes && { shapes }), lowering: lowering ?? {} }
      return this.#withSession({
        model: inferenceModel(model, isStatic ? { ...options, ...rules } : {}),
      })
    })
    return this.#run(inference, batch, weights)
  }

  /** The loss of a batch, and the outputs. There is one session for each size of batch. */
  async evaluate(
    batch: Batch,
    weights: Tensors,
  ): Promise<{ readonly loss: number; readonly outputs: Tensors }> {
    const { forward, differentiate } = this.#spec
    const { mode: _, seed: __, gradientRules: ___, ...options } = differentiate
    const dimensions = { ...options.dimensions, ...symbolicDimensions(forward, batch) }
    const key = JSON.stringify(dimensions)
    const evaluation = await this.#evaluations.load(key, () => {
      const { model, loss, state } = evaluationModel(forward, { ...options, dimensions })
      const untrained = [...state].filter(([name]) => !Object.hasOwn(weights, name))
      return this.#withSession({ model: withWeightsInside(model, new Map(untrained)), loss })
    })
    const outputs = await this.#run(evaluation, batch, weights)
    return { loss: float32Scalar(outputs, evaluation.loss), outputs }
  }

  async release(): Promise<void> {
    await Promise.all([this.#inference.release(), this.#evaluations.release()])
  }

  async #run(
    { model, session }: WithSession<InferenceModel>,
    batch: Batch,
    weights: Tensors,
  ): Promise<Tensors> {
    const feeds = toFeeds(this.#spec.runtime, model, batch, weights)
    const used = Object.entries(weights).filter(([name]) => session.inputNames.includes(name))
    return runSession(session, { ...feeds, ...Object.fromEntries(used) })
  }

  async #withSession<M extends InferenceModel>(built: M): Promise<WithSession<M>> {
    const { runtime, session } = this.#spec
    return { ...built, session: await createSession(runtime, built.model, session) }
  }
}

/** Turns the initializers that `weights` names into inputs. */
function withWeightsAsInputs(model: Model, weights: Tensors): Model {
  const isWeight = (name: string): boolean => Object.hasOwn(weights, name)
  const inputs = [...model.initializers].flatMap(([name, tensor]) =>
    isWeight(name) && tensor.type !== 'opaque'
      ? [{ name, type: tensor.type, shape: tensor.shape }]
      : [],
  )
  return {
    ...model,
    inputs: [...model.inputs, ...inputs],
    initializers: new Map([...model.initializers].filter(([name]) => !isWeight(name))),
  }
}

/** Turns the inputs that `weights` names into initializers. */
const withWeightsInside = (model: Model, weights: ReadonlyMap<string, Tensor>): Model => ({
  ...model,
  inputs: model.inputs.filter(({ name }) => !weights.has(name)),
  initializers: new Map([...model.initializers, ...weights]),
})
