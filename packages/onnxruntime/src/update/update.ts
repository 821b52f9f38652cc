import type {
  Histogram,
  Hyperparameters,
  Optimizer,
  OptimizerOptions,
  StepOutcome,
  UpdateRule,
} from '@diffgrad/core'
import type { DifferentiateOptions, Model } from '@diffgrad/onnx'
import type { Judgement } from '../judge.ts'
import type { Runtime, SessionOptions, Tensors } from '../runtime.ts'

/** A rule of @diffgrad/core, its hyperparameters, parameter groups and surroundings. */
export type OptimizerChoice<O extends Hyperparameters> = OptimizerOptions<O> & {
  readonly rule: UpdateRule<O>
}

/** What is trained, how, and on what. */
export interface Plan<O extends Hyperparameters> {
  readonly runtime: Runtime
  readonly session: SessionOptions
  readonly forward: Model
  readonly differentiate: DifferentiateOptions
  readonly optimizer: OptimizerChoice<O>
}

/** What a step is given. */
export interface Given {
  readonly feeds: Tensors
  /** The forward model's outputs that are asked for. */
  readonly outputs: readonly string[]
  /** Between which edges inner values of the rule are counted. */
  readonly edges: Readonly<Record<string, readonly number[]>> | undefined
  /** Judges what was computed, before anything moves; if it throws, nothing does. */
  judge(loss: number, outputs: Tensors): Promise<Judgement>
}

/** What a step gave, before the weights moved. */
export interface StepResult extends Judgement {
  readonly outcome: StepOutcome
  /** How many updates were made in all. */
  readonly updates: number
  /** What was asked for. */
  readonly histograms?: Readonly<Record<string, Histogram>>
}

/** What of an optimizer does not depend on where it keeps its arrays. */
type Conductor<O extends Hyperparameters> = Pick<
  Optimizer<never, O>,
  'updates' | 'options' | 'set' | 'report' | 'stateDict' | 'loadStateDict' | 'swapEma'
>

/** One way to move the weights by the gradients of a batch. */
export interface Update<O extends Hyperparameters> {
  /** The gradient model, which tells what a batch must be. */
  readonly model: Model
  readonly optimizer: Conductor<O>
  /** Parameters and running statistics as they are now, as the runtime takes them. */
  readonly weights: Tensors
  /**
   * Takes one step, all of it or nothing.
   *
   * @throws What `judge` throws, or the runtime. Then nothing has changed.
   */
  step(given: Given): Promise<StepResult>
  /** Replaces the elements of some weights. */
  write(weights: Readonly<Record<string, Float32Array>>): void
  release(): Promise<void>
}
