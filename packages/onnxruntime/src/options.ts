import type { Communicator, Hyperparameters, OptimizerOptions, UpdateRule } from '@diffgrad/core'
import {
  checkOptions,
  type DifferentiateOptions,
  describeArgument,
  type Model,
  modelOptionNames,
} from '@diffgrad/onnx'
import { TrainerError } from './errors.ts'
import type { Metric } from './metrics.ts'
import type { Runtime, SessionOptions } from './runtime.ts'

/** A rule of @diffgrad/core with the options of an optimizer, such as `{ rule: diffGrad, learningRate: 1e-3 }`. */
export type OptimizerSpec<H extends Hyperparameters> = OptimizerOptions<H> & {
  readonly rule: UpdateRule<H>
}

/** How a model is trained. */
export interface TrainerOptions<H extends Hyperparameters> extends DifferentiateOptions {
  readonly optimizer: OptimizerSpec<H>
  /**
   * `kernel` updates the weights by the fused kernels of @diffgrad/arrays, `graph` makes the update a part
   * of the model. Both have every option of an optimizer. Default: `graph` if the first execution provider
   * is `webgpu`, where weights and optimizer state then stay on the device; else `kernel`. Sums over a parameter,
   * which LAMB and others need, are in double precision with `kernel`, and in single precision with `graph`.
   */
  readonly update?: 'kernel' | 'graph'
  /** Metrics that `step` and `evaluate` compute, by names of your choice. */
  readonly metrics?: Readonly<Record<string, Metric>>
  /**
   * The ranks that train together, such as `await communicator()` of @diffgrad/mpi: from then on, each step is
   * one of all ranks, on as many batches. See `distribute` of `Optimizer` in @diffgrad/core; running statistics
   * and Dropout are those of the batches in the order of their ranks. Not with `update: 'graph'`.
   */
  readonly ranks?: Communicator
  /** Execution providers, threads and the like; by default the CPU, with threads that sleep while idle. */
  readonly session?: SessionOptions
}

/** Options of one step. */
export interface StepOptions {
  /** Aborts the step before the weights change. */
  readonly signal?: AbortSignal
  /**
   * Bin edges of intermediate values of the rule, counted before the weights change, such as
   * `{ xi: [0, 0.5, 1] }`. See `histograms` of `Optimizer` in @diffgrad/core.
   */
  readonly histograms?: Readonly<Record<string, readonly number[]>>
}

/** Which weights to use. */
export interface WeightsOptions {
  /**
   * Use the average of the weights, which the optimizer must have: its EMA, or the evaluation point of its rule.
   * Running means and variances are those of the weights that are trained, until `reestimate` has estimated
   * those of the average.
   */
  readonly average?: boolean
}

const check: (what: string, isRight: boolean, rule: string, value: unknown) => void = (
  what,
  isRight,
  rule,
  value,
) => {
  if (!isRight) throw new TrainerError(`${what} must be ${rule}, but is ${describeArgument(value)}`)
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks the arguments of `Trainer.create`, apart from the options of @diffgrad/onnx. */
export function checkCreate<H extends Hyperparameters>(
  ort: Runtime,
  model: Model | Uint8Array,
  options: TrainerOptions<H>,
): void {
  const isRuntime =
    typeof ort?.Tensor === 'function' && typeof ort.InferenceSession?.create === 'function'
  check('trainer: the runtime', isRuntime, 'onnxruntime-node or onnxruntime-web', ort)
  const isModel = model instanceof Uint8Array || (isObject(model) && Array.isArray(model.nodes))
  check('trainer: the model', isModel, 'a model or the bytes of an .onnx file', model)
  const own = ['optimizer', 'update', 'metrics', 'ranks', 'session']
  checkOptions('trainer', options, [...own, ...modelOptionNames], TrainerError)
  const { optimizer, update = 'kernel', metrics = {}, ranks, session = {} } = options
  check('trainer: optimizer', isObject(optimizer), '{ rule, … }', optimizer)
  const isRule = isObject(optimizer.rule) && isObject(optimizer.rule.defaults)
  check('trainer: optimizer.rule', isRule, 'a rule of @diffgrad/core', optimizer.rule)
  check('trainer: update', ['kernel', 'graph'].includes(update), '"kernel" or "graph"', update)
  check('trainer: metrics', isObject(metrics), 'an object of metrics', metrics)
  for (const [name, metric] of Object.entries(metrics))
    check(
      `trainer: metric "${name}"`,
      isObject(metric) && typeof metric.compute === 'function',
      '{ outputs, compute }, such as accuracy()',
      metric,
    )
  const isCommunicator = ranks === undefined || typeof ranks.gradientExchange === 'function'
  check('trainer: ranks', isCommunicator, 'a Communicator', ranks)
  check('trainer: session', isObject(session), "an object of the runtime's options", session)
}

/** @throws {TrainerError} Naming the option that is unknown or of a wrong type. */
export function checkStepOptions(options: StepOptions): void {
  checkOptions('step', options, ['signal', 'histograms'], TrainerError)
  const { signal, histograms } = options
  const isSignal = signal === undefined || typeof signal.throwIfAborted === 'function'
  check('step: signal', isSignal, 'an AbortSignal', signal)
  const isEdges = histograms === undefined || isObject(histograms)
  check('step: histograms', isEdges, 'lists of edges by name', histograms)
}

/**
 * Whether weights are replaced by their average.
 *
 * @throws {TrainerError} Naming the option that is unknown or of a wrong type.
 */
export function usesAverage(options: WeightsOptions): boolean {
  checkOptions('weights', options, ['average'], TrainerError)
  const { average = false } = options
  check('weights: average', typeof average === 'boolean', 'true or false', average)
  return average
}
