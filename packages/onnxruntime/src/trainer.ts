import {
  attemptAsync,
  type Communicator,
  type Hyperparameters,
  type RuleOptions,
  type Selector,
} from '@diffgrad/core'
import {
  describeArgument,
  type InputSizes,
  inferenceModel,
  loraState,
  type Model,
  mergeLora,
  readModel,
  tiedParameters,
  type UnsharedBytes,
  writeModel,
} from '@diffgrad/onnx'
import { writeAdapters } from './adapters.ts'
import { AverageStatistics } from './average-statistics.ts'
import { type Batch, sizesOf, toFeeds } from './batch.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { assertFiniteLoss, TrainerError } from './errors.ts'
import { Evaluation, type EvaluationSpec } from './evaluation.ts'
import { type EvaluationResult, Metrics, type Outputs } from './metrics.ts'
import {
  checkCreate,
  checkStepOptions,
  type StepOptions,
  type TrainerOptions,
  usesAverage,
  type WeightsOptions,
} from './options.ts'
import { cpuFallbacks, warmUp } from './providers.ts'
import {
  acceleratorsOf,
  keepsOutputsOnDevice,
  loweringFor,
  type Runtime,
  type SessionOptions,
  type Tensors,
} from './runtime.ts'
import { TaskQueue, throwIfAborted } from './task-queue.ts'
import { GraphUpdate } from './update/graph.ts'
import { KernelUpdate } from './update/kernel.ts'
import { type StepInput, type StepResult, type Update, withWeights } from './update/update.ts'

/** Warns of weights that an exporter has probably stored once because they were equal. */
function warnOfTies(model: Model, frozen: readonly RegExp[] = []): void {
  const tied = [...tiedParameters(model, frozen)].map(([name, readers]) => `"${name}" (${readers})`)
  if (tied.length > 0)
    console.warn(
      `trainer: ${tied.slice(0, 4).join(', ')}${tied.length > 4 ? ` and ${tied.length - 4} more` : ''}: several nodes read one parameter of equal elements, so they train it together; PyTorch's export in evaluation mode stores equal tensors once`,
    )
}

/** A model with the files that lie beside it. */
export interface ModelFiles {
  /** The .onnx file. */
  readonly model: UnsharedBytes
  /** The files with its external weights, by the names that the model stores. */
  readonly external: Readonly<Record<string, UnsharedBytes>>
}

/**
 * Trains an ONNX model on ONNX Runtime.
 *
 * `step`, `evaluate` and `predict` block the event loop of their thread while the runtime computes;
 * `serveTrainer` and `connectTrainer` move a trainer into a worker. Calls run one at a time, in order.
 */
export class Trainer<H extends Hyperparameters = Hyperparameters> {
  readonly #forward: Model
  /** The sizes of the options. */
  readonly #sizes: InputSizes
  readonly #session: SessionOptions
  readonly #runtime: Runtime
  readonly #update: Update<H>
  readonly #evaluation: Evaluation
  readonly #averageStatistics: AverageStatistics
  readonly #metrics: Metrics
  readonly #queue = new TaskQueue()

  /**
   * Builds the gradient model of a model and the sessions that train it.
   *
   * @param ort - the module `onnxruntime-node` or `onnxruntime-web`.
   * @param model - a model, or the bytes of an .onnx file.
   * @throws {OnnxError} If the model cannot be read or differentiated.
   * @throws {TrainerError} If the runtime or its provider lacks an operator or a device, or the update
   *   does not support an option.
   * @throws RangeError naming an option of the optimizer that is unknown or out of range. Other options
   *   are refused by name as well, before anything is built.
   */
  static async create<H extends Hyperparameters>(
    ort: Runtime,
    model: Model | Uint8Array,
    options: TrainerOptions<H>,
  ): Promise<Trainer<H>> {
    checkCreate(ort, model, options)
    const { optimizer, update: requested, metrics = {}, ranks, session = {}, ...rest } = options
    const kind = requested ?? (keepsOutputsOnDevice(session) ? 'graph' : 'kernel')
    const severalRanks = ranks !== undefined && ranks.size > 1 ? ranks : undefined
    if (kind === 'graph' && severalRanks)
      throw new TrainerError(
        `trainer: update must be "kernel" for ${severalRanks.size} ranks, which exchange gradients, but is "graph"`,
      )
    const forward = model instanceof Uint8Array ? readModel(model) : model
    const lowering = await loweringFor(ort, session, rest.lowering)
    const spec = { runtime: ort, session, forward, differentiate: { ...rest, lowering } }
    const checkedMetrics = new Metrics(forward, metrics)
    const UpdateClass = kind === 'graph' ? GraphUpdate : KernelUpdate
    const update: Update<H> = await UpdateClass.create({
      ...spec,
      optimizer,
      outputs: checkedMetrics.outputs,
      metrics: checkedMetrics.names,
      ranks: severalRanks,
    })
    warnOfTies(forward, rest.frozen)
    // The model shares the trained weights, so that the initial ones can be freed.
    const trained = { ...spec, forward: withWeights(forward, await update.readWeights()) }
    const trainer = new Trainer(trained, update, checkedMetrics, severalRanks)
    const accelerators = acceleratorsOf(session)
    if (accelerators.length > 0)
      await warmUp(ort, update, accelerators).catch(async (error) => {
        await trainer.dispose()
        throw error
      })
    update.distribute()
    return trainer
  }

  private constructor(
    spec: EvaluationSpec,
    update: Update<H>,
    metrics: Metrics,
    ranks: Communicator | undefined,
  ) {
    this.#runtime = spec.runtime
    this.#forward = spec.forward
    this.#sizes = spec.differentiate
    this.#session = spec.session
    this.#update = update
    this.#evaluation = new Evaluation(spec)
    this.#averageStatistics = new AverageStatistics(spec, update.shapes, ranks)
    this.#metrics = metrics
  }

  /**
   * Takes one step on a batch. Batches of other sizes than the options' `dimensions`, such as the last of
   * an epoch or texts of other lengths, get sessions of their own, of which the last eight are kept.
   *
   * @throws {TrainerError} Naming the input of the batch that does not fit.
   * @throws {NotFiniteError} If the loss is not finite.
   * @throws What a metric or the runtime throws, or the reason of the signal. After any error, weights,
   *   statistics and optimizer are unchanged.
   */
  step(batch: Batch, stepOptions: StepOptions = {}): Promise<StepResult> {
    return this.#queue.run(async () => {
      const { value, failure } = await attemptAsync(() => this.#stepInput(batch, stepOptions))
      if (failure) return this.#update.fail(failure)
      const result = await this.#update.step(value)
      this.#averageStatistics.estimate = undefined
      return result
    })
  }

  async #stepInput(batch: Batch, stepOptions: StepOptions): Promise<StepInput> {
    checkStepOptions(stepOptions)
    const { signal, histograms } = stepOptions
    signal?.throwIfAborted()
    const { shapes, optimizer } = this.#update
    const { updates, options } = optimizer
    const sizes = sizesOf(this.#forward, batch, this.#sizes)
    const model = await this.#update.modelFor(sizes)
    return {
      sizes,
      feeds: toFeeds(this.#runtime, model, batch, shapes),
      histogramEdges: histograms,
      checkLoss: (loss, rank) => {
        if (!options.skipNotFinite) assertFiniteLoss(loss, updates, rank)
      },
      computeMetrics: async (loss, outputs) => {
        await throwIfAborted(signal)
        return this.#metrics.compute(loss, outputs, batch)
      },
    }
  }

  /**
   * Computes loss and metrics of a batch of any size in evaluation mode: running statistics, no dropout.
   *
   * @throws {TrainerError} Naming the input of the batch that does not fit.
   */
  evaluate(batch: Batch, options?: WeightsOptions): Promise<EvaluationResult> {
    return this.#withAverage(options, async (statistics) => {
      const weights = await this.#weights(statistics)
      const { loss, outputs } = await this.#evaluation.evaluate(batch, weights)
      return this.#metrics.compute(loss, outputs, batch)
    })
  }

  /**
   * Computes the outputs of the model, by name, for a batch of any size in evaluation mode.
   *
   * @throws {TrainerError} Naming the input of the batch that does not fit.
   */
  predict(batch: Batch, options?: WeightsOptions): Promise<Outputs> {
    return this.#withAverage(options, async (statistics) => {
      const weights = await this.#weights(statistics)
      const outputs = Object.entries(await this.#evaluation.predict(batch, weights))
      return Object.fromEntries(
        outputs.map(([name, { type, data, dims }]) => [name, { type, data, dims }]),
      )
    })
  }

  /**
   * Adds a training batch to the estimate of the running means and variances of the averaged weights, which
   * differ from those of the weights that are trained. The estimate is the mean, over the batches since the last
   * step or `load`, of the mean and the variance of the batch in training mode, as in arXiv:1803.05407. It is
   * used where the average is. The next step discards it; `save` stores it. Weights and the statistics of training are
   * unchanged, and a model without batch normalization has nothing to estimate. Several ranks make each call
   * together, on as many batches.
   *
   * @throws {TrainerError} Naming the input of the batch that does not fit. After any error, the estimate is
   *   unchanged.
   * @throws What `swapAverage` of `Optimizer` in @diffgrad/core throws, if there is no average.
   */
  reestimate(batch: Batch): Promise<void> {
    return this.#withAverage({ average: true }, () =>
      this.#averageStatistics.add(async () => {
        const sizes = sizesOf(this.#forward, batch, this.#sizes)
        const model = await this.#update.modelFor(sizes)
        const weights = await this.#update.weights()
        return { sizes, feeds: { ...toFeeds(this.#runtime, model, batch, weights), ...weights } }
      }),
    )
  }

  /**
   * The operators of a train step that run on the CPU because none of the requested execution providers
   * has them. Sorted; empty if only the CPU was requested.
   */
  fallbacks(): Promise<readonly string[]> {
    return this.#queue.run(async () =>
      acceleratorsOf(this.#session).length === 0
        ? []
        : cpuFallbacks(this.#runtime, this.#update.stepModels, this.#session),
    )
  }

  /** Changes options of the rule from the next step on. See `set` of `Optimizer` in @diffgrad/core. */
  set(changes: Partial<RuleOptions<H>>, parameters?: Selector): Promise<void> {
    return this.#queue.run(async () => this.#update.optimizer.set(changes, parameters))
  }

  /** Reports a loss to plateau schedules. See `report` of `Optimizer` in @diffgrad/core. */
  report(loss: number): Promise<void> {
    return this.#queue.run(async () => this.#update.optimizer.report(loss))
  }

  /**
   * Writes the trained model, in evaluation mode, as an .onnx file. A file comes back as it came but for its
   * weights: half precision, operator sets, names and metadata stay.
   *
   * @throws {OnnxError} If a weight has left the range of the half precision of its file.
   */
  export(options?: WeightsOptions): Promise<UnsharedBytes> {
    return this.#withAverage(options, async (statistics) =>
      writeModel(await this.#trained(statistics)),
    )
  }

  /** As `export`, with external weights in files of their own again, as they came. */
  exportFiles(options?: WeightsOptions): Promise<ModelFiles> {
    return this.#withAverage(options, async (statistics) => {
      const external: Record<string, UnsharedBytes> = {}
      const model = writeModel(await this.#trained(statistics), (location, bytes) => {
        external[location] = bytes
      })
      return { model, external }
    })
  }

  /** The trained model in evaluation mode. Adapters are merged into its weights. */
  async #trained(statistics: Checkpoint['weights']): Promise<Model> {
    const weights = { ...(await this.#update.readWeights()), ...statistics }
    const model = withWeights(this.#forward, weights)
    return inferenceModel(model.lora ? mergeLora(model) : model)
  }

  /**
   * Writes weights, statistics, those of `reestimate` and the optimizer's state as a safetensors file. Training resumed from it
   * equals uninterrupted training bit for bit; with Dropout, if the trainer has a `seed`.
   *
   * @param notes - JSON to store in the same file, such as the state of a random generator.
   * @throws {TrainerError} Naming the first of the notes that is no JSON value, or the first weight or
   *   state that is not finite.
   */
  save(notes: unknown = null): Promise<UnsharedBytes> {
    return this.#queue.run(async () => {
      const weights = await this.#update.readWeights()
      const optimizer = await this.#update.readOptimizer()
      const { estimate: averageStatistics } = this.#averageStatistics
      return writeCheckpoint({ weights, averageStatistics, optimizer, notes })
    })
  }

  /**
   * Writes only the adapters of a model of `lora`, and what is trained beside them, as a safetensors file:
   * `applyLora(model, readAdapters(bytes))` adds them to their model.
   *
   * @throws {OnnxError} If the model has no adapters.
   * @throws {TrainerError} Naming the first weight that is not finite.
   */
  saveAdapters(options?: WeightsOptions): Promise<UnsharedBytes> {
    return this.#withAverage(options, async (statistics) => {
      const weights = { ...(await this.#update.readWeights()), ...statistics }
      return writeAdapters(loraState(withWeights(this.#forward, weights)))
    })
  }

  /**
   * Restores a file of `save`.
   *
   * @returns the notes that were saved with it.
   * @throws {TrainerError} Naming the first difference between the checkpoint's and the model's weights.
   * @throws TypeError naming the first difference between its and this optimizer. After any error,
   *   nothing has changed.
   */
  load(checkpoint: Uint8Array): Promise<unknown> {
    return this.#queue.run(async () => {
      if (!(checkpoint instanceof Uint8Array))
        throw new TrainerError(
          `checkpoint: must be the bytes of a file, but is ${describeArgument(checkpoint)}`,
        )
      const { notes, averageStatistics, ...state } = readCheckpoint(checkpoint, this.#update.shapes)
      this.#update.load(state)
      this.#averageStatistics.estimate = averageStatistics
      return notes
    })
  }

  /** Releases the runtime's sessions, after all earlier calls. Later calls are errors. */
  dispose(): Promise<void> {
    return this.#queue.close(async () => {
      const parts = [this.#update, this.#evaluation, this.#averageStatistics]
      await Promise.all(parts.map((part) => part.release()))
    })
  }

  /** The tensors of the weights, some statistics replaced by others. */
  async #weights(statistics: Checkpoint['weights']): Promise<Tensors> {
    const { Tensor } = this.#runtime
    const replaced = Object.entries(statistics).map(([name, { shape, data }]) => {
      return [name, new Tensor('float32', data, shape)] as const
    })
    return { ...(await this.#update.weights()), ...Object.fromEntries(replaced) }
  }

  /**
   * Runs a task of the queue on the weights, or on their average.
   *
   * @param task - takes the statistics that replace those of the weights.
   */
  #withAverage<R>(
    options: WeightsOptions = {},
    task: (statistics: Checkpoint['weights']) => Promise<R>,
  ): Promise<R> {
    return this.#queue.run(async () => {
      if (!usesAverage(options)) return task({})
      await this.#update.swapAverage()
      try {
        return await task(this.#averageStatistics.estimate ?? {})
      } finally {
        await this.#update.swapAverage()
      }
    })
  }
}
