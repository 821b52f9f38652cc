import type { CommonOptions, Histogram, Selector, Settings, StepOutcome } from '@diffgrad/core'
import { type DifferentiateOptions, type Model, readModel, writeModel } from '@diffgrad/onnx'
import { type Batch, feedsOf } from './batch.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint/checkpoint.ts'
import { TrainerError } from './error.ts'
import { Evaluation, type Subject } from './evaluation.ts'
import type { Metric, Outputs } from './metrics.ts'
import { inferenceModel } from './model/inference.ts'
import { mustGive } from './model/outputs.ts'
import { withWeights } from './model/weights.ts'
import { fallbacksOf } from './provider/fallbacks.ts'
import { loweringFor } from './provider/lowering.ts'
import { acceleratorsOf } from './provider/names.ts'
import { rehearse } from './provider/rehearse.ts'
import { floatsOf, type Runtime, type SessionOptions, scalarOf, type Tensors } from './runtime.ts'
import { Turns } from './turns.ts'
import { GraphUpdate } from './update/graph.ts'
import { KernelUpdate } from './update/kernel.ts'
import type { OptimizerChoice, Update } from './update/update.ts'

/** How a model is trained. */
export interface TrainerOptions<O extends CommonOptions> extends DifferentiateOptions {
  /** A rule of @diffgrad/core with its options, such as `{ rule: diffGrad, learningRate: 1e-3 }`. */
  readonly optimizer: OptimizerChoice<O>
  /**
   * `kernel` moves the weights by fused kernels of @diffgrad/arrays, with all that an optimizer can
   * do. `graph` makes the update a part of the model: parameter groups and schedules, no surroundings.
   * Default `kernel`.
   */
  readonly update?: 'kernel' | 'graph'
  /** Figures that `step` and `evaluate` also give, by names of your own. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /** Providers and threads. By default the runtime's, with threads that sleep while they wait. */
  readonly session?: SessionOptions
}

/** What a batch was judged to be. */
export interface Judgement {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

/** What a step gave, before the weights moved. */
export interface StepResult extends Judgement {
  readonly outcome: StepOutcome
  /** How many updates were made in all. */
  readonly updates: number
  /** What was asked for. */
  readonly histograms?: Readonly<Record<string, Histogram>>
}

/** What a step may be told. */
export interface StepChoice {
  readonly signal?: AbortSignal
  /**
   * Inner values of the rule to count before the weights move, such as `{ xi: [0, 0.5, 1] }`. See
   * `histograms` of `Optimizer` in @diffgrad/core. Only of the update by kernels.
   */
  readonly histograms?: Readonly<Record<string, readonly number[]>>
}

/** Which weights. */
export interface WeightsChoice {
  /** Whether the moving average of the weights is used; the optimizer needs `averageWeights`. */
  readonly average?: boolean
}

/**
 * Trains an ONNX model on ONNX Runtime.
 *
 * While the runtime computes, the thread that called it stands still, timers and all; `serveTrainer`
 * and `connectTrainer` move a trainer into a worker. Calls are carried out one after the other.
 */
export class Trainer<O extends CommonOptions = CommonOptions> {
  readonly #forward: Model
  readonly #session: SessionOptions
  readonly #runtime: Runtime
  readonly #update: Update<O>
  readonly #evaluation: Evaluation
  readonly #metrics: Readonly<Record<string, Metric>>
  readonly #turns = new Turns()

  /**
   * Prepares the training of a model.
   *
   * @param ort - the module `onnxruntime-node` or `onnxruntime-web`.
   * @param model - a model, or the bytes of an .onnx file.
   * @throws {OnnxError} If the model cannot be read or differentiated.
   * @throws {TrainerError} If the runtime or its provider cannot run an operator, or the update has
   *   not what is asked for.
   * @throws RangeError naming an option of the optimizer that is unknown or out of range.
   */
  static async create<O extends CommonOptions>(
    ort: Runtime,
    model: Model | Uint8Array,
    { optimizer, update = 'kernel', metrics = {}, session = {}, ...rest }: TrainerOptions<O>,
  ): Promise<Trainer<O>> {
    const forward = model instanceof Uint8Array ? readModel(model) : model
    const lowering = { ...loweringFor(session), ...rest.lowering }
    const subject = { runtime: ort, session, forward, differentiate: { ...rest, lowering } }
    for (const { outputs } of Object.values(metrics)) mustGive(forward, outputs ?? [])
    const plan = { ...subject, optimizer }
    const chosen = await (update === 'graph' ? GraphUpdate.create(plan) : KernelUpdate.create(plan))
    // The model with the weights that are trained, so that those it began with need not be kept.
    const moving = withWeights(forward, initializersOf(chosen.weights))
    const trainer = new Trainer({ ...subject, forward: moving }, chosen, metrics)
    const accelerators = acceleratorsOf(session)
    if (accelerators.length > 0)
      await rehearse(ort, chosen, accelerators).catch(async (error) => {
        await trainer.dispose()
        throw error
      })
    return trainer
  }

  private constructor(
    subject: Subject,
    update: Update<O>,
    metrics: Readonly<Record<string, Metric>>,
  ) {
    this.#runtime = subject.runtime
    this.#forward = subject.forward
    this.#session = subject.session
    this.#update = update
    this.#evaluation = new Evaluation(subject)
    this.#metrics = metrics
  }

  /**
   * Takes one step on a batch of the size that was trained for.
   *
   * @throws {TrainerError} Naming what of the batch does not fit; or if the loss is not finite. Then
   *   nothing has changed, nor has it when the signal aborts.
   */
  step(batch: Batch, { signal, histograms: edges }: StepChoice = {}): Promise<StepResult> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      const { model, weights, optimizer } = this.#update
      const feeds = feedsOf(this.#runtime, model, batch, weights)
      const outputs = this.#wanted
      const given = { feeds, outputs, signal, edges }
      const { loss, outcome, outputs: results, histograms } = await this.#update.step(given)
      const metrics = this.#measure(results, batch)
      const { updates } = optimizer
      return { loss, metrics, outcome, updates, ...(histograms && { histograms }) }
    })
  }

  /**
   * Judges a batch of any size, with running statistics and without dropout.
   *
   * @throws {TrainerError} Naming what of the batch does not fit.
   */
  evaluate(batch: Batch, choice?: WeightsChoice): Promise<Judgement> {
    return this.#with(choice, async (weights) => {
      const { loss, results } = await this.#evaluation.evaluate(batch, weights)
      return { loss: scalarOf(results, loss), metrics: this.#measure(results, batch) }
    })
  }

  /**
   * What the model gives for a batch of any size, by the names of its outputs.
   *
   * @throws {TrainerError} Naming what of the batch does not fit.
   */
  predict(batch: Batch, choice?: WeightsChoice): Promise<Outputs> {
    return this.#with(choice, async (weights) => {
      const results = await this.#evaluation.predict(batch, weights)
      const outputs = Object.entries(results)
      return Object.fromEntries(
        outputs.map(([name, { type, data, dims }]) => [name, { type, data, dims }]),
      )
    })
  }

  /**
   * The operators of a train step that the CPU runs, though another provider was asked for: none of
   * the providers has them. Sorted; empty on the CPU itself.
   */
  fallbacks(): Promise<readonly string[]> {
    return this.#turns.take(async () =>
      acceleratorsOf(this.#session).length === 0
        ? []
        : fallbacksOf(this.#runtime, this.#update.model, this.#session),
    )
  }

  /** Changes settings from the next step on. See `set` of `Optimizer` in @diffgrad/core. */
  set(changes: Partial<Settings<O>>, parameters?: Selector): Promise<void> {
    return this.#turns.take(async () => this.#update.optimizer.set(changes, parameters))
  }

  /** Tells plateau schedules a loss. See `report` of `Optimizer` in @diffgrad/core. */
  report(loss: number): Promise<void> {
    return this.#turns.take(async () => this.#update.optimizer.report(loss))
  }

  /** The trained model as an .onnx file, with the inputs and outputs that it came with. */
  export(choice?: WeightsChoice): Promise<Uint8Array<ArrayBuffer>> {
    return this.#with(choice, async (weights) =>
      writeModel(withWeights(inferenceModel(this.#forward), initializersOf(weights))),
    )
  }

  /**
   * Everything from which training goes on as if never interrupted, as a safetensors file.
   *
   * @param notes - what of your own goes with it, such as the state of a generator: JSON.
   */
  save(notes: unknown = null): Promise<Uint8Array<ArrayBuffer>> {
    return this.#turns.take(async () => {
      const { weights, optimizer } = this.#update
      return writeCheckpoint({ weights: copied(weights), optimizer: optimizer.stateDict(), notes })
    })
  }

  /**
   * Goes back to what `save` gave.
   *
   * @returns the notes that were saved with it.
   * @throws {TrainerError} Naming the first thing in which the checkpoint is of another model.
   * @throws TypeError naming the first thing in which it is of another optimizer. In both cases,
   *   nothing has changed.
   */
  load(checkpoint: Uint8Array): Promise<unknown> {
    return this.#turns.take(async () => {
      const { weights, optimizer, notes } = readCheckpoint(checkpoint)
      mustFit(this.#update.weights, weights)
      this.#update.optimizer.loadStateDict(optimizer)
      const elements = Object.entries(weights).map(([name, { data }]) => [name, data])
      this.#update.write(Object.fromEntries(elements))
      return notes
    })
  }

  /** Gives back what the runtime holds. Any further use is an error. */
  dispose(): Promise<void> {
    return this.#turns.end(async () => {
      await this.#update.release()
      await this.#evaluation.release()
    })
  }

  /** Runs something on the weights, or on their average. */
  #with<R>(
    { average = false }: WeightsChoice = {},
    use: (weights: Tensors) => Promise<R>,
  ): Promise<R> {
    const { optimizer } = this.#update
    return this.#turns.take(async () => {
      if (!average) return use(this.#update.weights)
      optimizer.swapAverage()
      try {
        return await use(this.#update.weights)
      } finally {
        optimizer.swapAverage()
      }
    })
  }

  get #wanted(): readonly string[] {
    const all = this.#forward.outputs.map(({ name }) => name)
    return [...new Set(Object.values(this.#metrics).flatMap(({ outputs = all }) => outputs))]
  }

  #measure(outputs: Outputs, batch: Batch): Readonly<Record<string, number>> {
    const metrics = Object.entries(this.#metrics)
    return Object.fromEntries(
      metrics.map(([name, metric]) => [name, metric.compute(outputs, batch)]),
    )
  }
}

/** Weights as initializers of a model, which share their memory. */
const initializersOf = (weights: Tensors): Parameters<typeof withWeights>[1] =>
  new Map(
    Object.entries(weights).map(([name, { dims }]) => [
      name,
      { type: 'float32', shape: dims, data: floatsOf(weights, name) },
    ]),
  )

const copied = (weights: Tensors): Checkpoint['weights'] =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { dims }]) => [
      name,
      { shape: dims, data: floatsOf(weights, name).slice() },
    ]),
  )

function mustFit(weights: Tensors, saved: Checkpoint['weights']): void {
  for (const [name, { dims }] of Object.entries(weights)) {
    const is = saved[name] ? `[${saved[name].shape}]` : 'missing'
    if (is !== `[${dims}]`)
      throw new TrainerError(`checkpoint: "${name}" must be [${dims}], but is ${is}`)
  }
  const surplus = Object.keys(saved).find((name) => !(name in weights))
  if (surplus !== undefined)
    throw new TrainerError(`checkpoint: has "${surplus}", which the model has not, or not trained`)
}
