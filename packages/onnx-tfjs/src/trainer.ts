import {
  type Histogram,
  type Hyperparameters,
  histogram,
  type OptimizerOptions,
  type StateDict,
  type UpdateRule,
} from '@diffgrad/core'
import { inferenceModel, type Model, type Tensor as ModelTensor, writeModel } from '@diffgrad/onnx'
import { RuleOptimizer, type TensorGradients } from '@diffgrad/tfjs'
import {
  concat,
  dispose,
  logSoftmax,
  mean,
  mul,
  type NamedTensorMap,
  neg,
  reshape,
  type Scalar,
  sum,
  type Tensor,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core'
import { Network } from './network.ts'

/** Weights by name. */
export type Weights = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
>

/** How a classifier is trained. The model has one input and one output, the logits. */
export interface ClassifierTrainerOptions {
  /** A rule of @diffgrad/core with the options of an optimizer. */
  readonly optimizer: OptimizerOptions<Hyperparameters> & { readonly rule: UpdateRule }
  /** Matches names of parameters to keep fixed. */
  readonly frozen?: readonly RegExp[]
}

/** The input of one step. */
export interface ClassifierBatch {
  /** Row-major, [batch, ...shape of one example]. */
  readonly inputs: Float32Array
  readonly shape: readonly number[]
  /** Probabilities, times class weights if there are any [batch, classes]. */
  readonly targets: Float32Array
}

/** The result of a step, before the weights changed. */
export interface ClassifierStep {
  readonly loss: number
  /** [batch, classes] */
  readonly logits: Float32Array
  /** ξ of every trained parameter, if its bin edges were passed. */
  readonly friction?: Histogram
}

/** A loss, or the sum of the running statistics, that is NaN or infinite. The step changed nothing. */
export class NonFiniteStepError extends Error {
  override readonly name = 'NonFiniteStepError'
}

/** Trains an ONNX classifier on TensorFlow.js's current backend, by the cross-entropy of its logits. */
export class ClassifierTrainer {
  readonly #model: Model
  readonly #network: Network
  readonly #optimizer: RuleOptimizer
  readonly #skipNotFinite: boolean
  readonly #hasAverage: boolean
  readonly #input: string
  readonly #output: string

  /**
   * @throws {OnnxError} Naming a node whose operator is not supported.
   * @throws RangeError naming an option of the optimizer that is unknown or out of range.
   */
  constructor(model: Model, { optimizer, frozen = [] }: ClassifierTrainerOptions) {
    const { rule, ...options } = optimizer
    this.#model = model
    this.#optimizer = new RuleOptimizer(rule, options)
    this.#network = new Network(model, frozen)
    this.#optimizer.bind([...this.#network.parameters.values()])
    this.#skipNotFinite = Boolean(options.skipNotFinite)
    this.#hasAverage = Boolean(options.ema) || rule.evaluationPoint !== undefined
    const [[{ name: input }], [{ name: output }]] = [model.inputs, model.outputs]
    this.#input = input
    this.#output = output
  }

  /**
   * Takes one step, completely or not at all.
   *
   * @param frictionEdges - bin edges of ξ, for rules that have one.
   * @throws {NonFiniteStepError} If the loss is not finite, unless the optimizer skips such steps.
   */
  async step(
    { inputs, shape, targets }: ClassifierBatch,
    frictionEdges?: readonly number[],
  ): Promise<ClassifierStep> {
    const { loss, outputs, gradients, next } = this.#network.differentiate(
      () => ({ [this.#input]: tensor(inputs, [...shape]) }),
      ({ [this.#output]: logits }) => crossEntropy(tensor(targets, logits.shape), logits),
    )
    try {
      const {
        loss: lossValue,
        statistics,
        logits,
      } = await readStep(loss, next, outputs[this.#output])
      if (!this.#skipNotFinite) assertFinite(lossValue, statistics)
      const friction = frictionEdges && (await this.#friction(gradients, frictionEdges))
      if (this.#optimizer.applyGradients(gradients) !== 'skipped')
        this.#network.updateStatistics(next)
      return { loss: lossValue, logits, ...(friction && { friction }) }
    } finally {
      dispose({ loss, outputs, gradients, next })
    }
  }

  /** Logits [batch, classes] in evaluation mode; of the averaged weights if the optimizer has them. */
  predict(inputs: Float32Array, shape: readonly number[]): Promise<Float32Array> {
    return this.#withAverage(async () => {
      const logits = tidy(() => {
        const images = tensor(inputs, [...shape])
        return this.#network.run({ [this.#input]: images }, 'evaluate').outputs[this.#output]
      })
      const data = (await logits.data<'float32'>()).slice()
      logits.dispose()
      return data
    })
  }

  /** Reports a loss to plateau schedules. */
  report(loss: number): void {
    this.#optimizer.report(loss)
  }

  /** The shapes of the weights that training changes, by name. */
  get shapes(): Readonly<Record<string, readonly number[]>> {
    return Object.fromEntries([...this.#network.trained].map(([name, { shape }]) => [name, shape]))
  }

  /** Copies the weights that training changes, and the optimizer's state. */
  async state(): Promise<{ readonly weights: Weights; readonly optimizer: StateDict }> {
    return { weights: await this.#weights(), optimizer: await this.#optimizer.stateDict() }
  }

  /**
   * Restores a result of `state`. The weights must have the shapes of `shapes`.
   *
   * @throws TypeError naming the first difference between the saved optimizer and this one. Then nothing
   *   has changed.
   */
  loadState({
    weights,
    optimizer,
  }: {
    readonly weights: Weights
    readonly optimizer: StateDict
  }): void {
    this.#optimizer.loadStateDict(optimizer)
    for (const [name, variable] of this.#network.trained)
      tidy(() => variable.assign(tensor(weights[name].data, variable.shape)))
  }

  /** Writes the trained model, in evaluation mode, as an .onnx file, with the weights of `predict`. */
  export(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#withAverage(async () => {
      const trained = Object.entries(await this.#weights()).map(
        ([name, { shape, data }]): [string, ModelTensor] => [
          name,
          { type: 'float32', shape, data },
        ],
      )
      const initializers = new Map([...this.#model.initializers, ...trained])
      return writeModel({ ...inferenceModel(this.#model), initializers })
    })
  }

  dispose(): void {
    this.#optimizer.dispose()
    this.#network.dispose()
  }

  async #weights(): Promise<Weights> {
    const entries = [...this.#network.trained].map(async ([name, variable]) => {
      const data = (await variable.data<'float32'>()).slice()
      return [name, { shape: variable.shape, data }] as const
    })
    return Object.fromEntries(await Promise.all(entries))
  }

  /** Runs a task on the averaged weights if the optimizer has them, else on the current ones. */
  async #withAverage<T>(task: () => Promise<T>): Promise<T> {
    if (!this.#hasAverage) return task()
    this.#optimizer.swapAverage()
    try {
      return await task()
    } finally {
      this.#optimizer.swapAverage()
    }
  }

  async #friction(gradients: TensorGradients, edges: readonly number[]): Promise<Histogram> {
    const { xi } = await this.#optimizer.inspect(gradients)
    const all = function* (): Iterable<number> {
      for (const values of Object.values(xi)) yield* values
    }
    return histogram(all(), edges)
  }
}

/**
 * −Σ target · log p over classes, as a mean over rows, where p = softmax(logits). The gradient of
 * TensorFlow.js's `softmaxCrossEntropy` is right only for rows that sum to 1, and rows with class weights
 * do not.
 */
const crossEntropy = (targets: Tensor, logits: Tensor): Scalar =>
  neg(mean(sum(mul(targets, logSoftmax(logits)), 1)))

/** What is read from the device after a step. */
interface StepReadings {
  readonly loss: number
  /** The sum of the loss and the next running statistics. */
  readonly statistics: number
  readonly logits: Float32Array
}

/** Reads once: every read waits until the device has computed all that was asked of it. */
async function readStep(loss: Scalar, next: NamedTensorMap, logits: Tensor): Promise<StepReadings> {
  const all = tidy(() => {
    const row = reshape(loss, [1])
    const total = sum(concat([row, ...Object.values(next).map((one) => reshape(one, [-1]))]))
    return concat([row, reshape(total, [1]), reshape(logits, [-1])])
  })
  const data = await all.data<'float32'>()
  all.dispose()
  return { loss: data[0], statistics: data[1], logits: data.slice(2) }
}

/**
 * Checks the loss and the running statistics: on the wasm backend, activations turn NaN into 0, so the
 * loss of a damaged batch may be finite.
 *
 * @param value - the sum of the loss and the running statistics.
 * @throws {NonFiniteStepError} Naming what is not finite.
 */
function assertFinite(loss: number, value: number): void {
  if (Number.isFinite(value)) return
  const what = Number.isFinite(loss) ? 'sum of running statistics' : 'loss'
  throw new NonFiniteStepError(
    `the ${what} must be finite, but is ${value}; the weights are unchanged`,
  )
}
