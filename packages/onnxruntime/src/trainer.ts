import type { Hyperparameters, RuleOptions, Selector } from '@diffgrad/core'
import { type Model, readModel, writeModel } from '@diffgrad/onnx'
import { throwIfAborted } from './abort.ts'
import { type Batch, feedsOf } from './batch.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint/checkpoint.ts'
import { savedOf, shapesOf } from './checkpoint/weights.ts'
import { Evaluation, type Subject } from './evaluation.ts'
import { mustBeFinite } from './finite.ts'
import { Judge, type Judgement } from './judge.ts'
import type { Outputs } from './metrics.ts'
import { inferenceModel } from './model/inference.ts'
import { withWeights } from './model/weights.ts'
import type { StepChoice, TrainerOptions, WeightsChoice } from './options.ts'
import { fallbacksOf } from './provider/fallbacks.ts'
import { warmUp } from './provider/warm-up.ts'
import {
  acceleratorsOf,
  loweringFor,
  type Runtime,
  type SessionOptions,
  type Tensors,
} from './runtime.ts'
import { TaskQueue } from './task-queue.ts'
import { GraphUpdate } from './update/graph.ts'
import { KernelUpdate } from './update/kernel.ts'
import type { StepResult, Update } from './update/update.ts'

/**
 * Trains an ONNX model on ONNX Runtime.
 *
 * While the runtime computes, the thread that called it stands still, timers and all; `serveTrainer`
 * and `connectTrainer` move a trainer into a worker. Calls are carried out one after the other.
 */
export class Trainer<O extends Hyperparameters = Hyperparameters> {
  readonly #forward: Model
  readonly #session: SessionOptions
  readonly #runtime: Runtime
  readonly #update: Update<O>
  readonly #evaluation: Evaluation
  readonly #judge: Judge
  readonly #turns = new TaskQueue()

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
  static async create<O extends Hyperparameters>(
    ort: Runtime,
    model: Model | Uint8Array,
    { optimizer, update = 'kernel', metrics = {}, session = {}, ...rest }: TrainerOptions<O>,
  ): Promise<Trainer<O>> {
    const forward = model instanceof Uint8Array ? readModel(model) : model
    const lowering = { ...loweringFor(session), ...rest.lowering }
    const subject = { runtime: ort, session, forward, differentiate: { ...rest, lowering } }
    const judge = new Judge(forward, metrics)
    const plan = { ...subject, optimizer }
    const chosen = await (update === 'graph' ? GraphUpdate.create(plan) : KernelUpdate.create(plan))
    // The model with the weights that are trained, so that those it began with need not be kept.
    const moving = withWeights(forward, chosen.weights)
    const trainer = new Trainer({ ...subject, forward: moving }, chosen, judge)
    const accelerators = acceleratorsOf(session)
    if (accelerators.length > 0)
      await warmUp(ort, chosen, accelerators).catch(async (error) => {
        await trainer.dispose()
        throw error
      })
    return trainer
  }

  private constructor(subject: Subject, update: Update<O>, judge: Judge) {
    this.#runtime = subject.runtime
    this.#forward = subject.forward
    this.#session = subject.session
    this.#update = update
    this.#evaluation = new Evaluation(subject)
    this.#judge = judge
  }

  /**
   * Takes one step on a batch of the size that was trained for.
   *
   * @throws {TrainerError} Naming what of the batch does not fit.
   * @throws {NotFiniteError} If the loss is not finite.
   * @throws What a metric or the runtime throws, or the reason of the signal. In all cases, nothing
   *   has changed.
   */
  step(batch: Batch, { signal, histograms: edges }: StepChoice = {}): Promise<StepResult> {
    return this.#turns.take(async () => {
      signal?.throwIfAborted()
      const { model, weights, optimizer } = this.#update
      const { updates, options } = optimizer
      return this.#update.step({
        feeds: feedsOf(this.#runtime, model, batch, weights),
        outputs: this.#judge.outputs,
        edges,
        judge: async (loss, outputs) => {
          await throwIfAborted(signal)
          if (!options.skipNotFinite) mustBeFinite(loss, updates)
          return this.#judge.judge(loss, outputs, batch)
        },
      })
    })
  }

  /**
   * Judges a batch of any size, with running statistics and without dropout.
   *
   * @throws {TrainerError} Naming what of the batch does not fit.
   */
  evaluate(batch: Batch, choice?: WeightsChoice): Promise<Judgement> {
    return this.#with(choice, async (weights) => {
      const { loss, outputs } = await this.#evaluation.evaluate(batch, weights)
      return this.#judge.judge(loss, outputs, batch)
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
  set(changes: Partial<RuleOptions<O>>, parameters?: Selector): Promise<void> {
    return this.#turns.take(async () => this.#update.optimizer.set(changes, parameters))
  }

  /** Tells plateau schedules a loss. See `report` of `Optimizer` in @diffgrad/core. */
  report(loss: number): Promise<void> {
    return this.#turns.take(async () => this.#update.optimizer.report(loss))
  }

  /** The trained model as an .onnx file, with the inputs and outputs that it came with. */
  export(choice?: WeightsChoice): Promise<Uint8Array<ArrayBuffer>> {
    return this.#with(choice, async (weights) =>
      writeModel(withWeights(inferenceModel(this.#forward), weights)),
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
      return writeCheckpoint({ weights: savedOf(weights), optimizer: optimizer.stateDict(), notes })
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
      const shapes = shapesOf(this.#update.weights)
      const { weights, optimizer, notes } = readCheckpoint(checkpoint, shapes)
      this.#update.optimizer.loadStateDict(optimizer)
      const elements = Object.entries(weights).map(([name, { data }]) => [name, data])
      this.#update.write(Object.fromEntries(elements))
      return notes
    })
  }

  /** Gives back what the runtime holds. Any further use is an error. */
  dispose(): Promise<void> {
    return this.#turns.end(async () => {
      await Promise.all([this.#update.release(), this.#evaluation.release()])
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
      optimizer.swapEma()
      try {
        return await use(this.#update.weights)
      } finally {
        optimizer.swapEma()
      }
    })
  }
}
