import { type Hyperparameters, Optimizer } from '@diffgrad/core'
import {
  gradientModel,
  type Model,
  type TrainedParameter,
  type TrainStepModel,
  trainStepModel,
} from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { TrainerError } from '../error.ts'
import { createSession, scalarOf, type Tensors } from '../runtime.ts'
import { type Call, Recorder, type Slot } from './recorder.ts'
import type { Given, Plan, StepResult, Update } from './update.ts'

type Start = TrainedParameter['initial']

/** A train step that is ready to run, and the calls that it was made of. */
interface Prepared extends TrainStepModel {
  readonly calls: readonly Call[]
  readonly session: InferenceSession
}

/** Moves the weights inside the model that computes their gradients. */
export class GraphUpdate<O extends Hyperparameters> implements Update<O> {
  readonly model: Model
  readonly optimizer: Optimizer<Slot, O>
  readonly #plan: Plan<O>
  readonly #recorder: Recorder
  readonly #parameters: readonly Slot[]
  readonly #statistics: readonly Slot[]
  #prepared: Prepared | undefined

  static async create<O extends Hyperparameters>(plan: Plan<O>): Promise<GraphUpdate<O>> {
    const update = new GraphUpdate(plan)
    const before = update.optimizer.stateDict()
    await update.#prepare(update.#next())
    update.optimizer.loadStateDict(before)
    return update
  }

  private constructor(plan: Plan<O>) {
    const { runtime, forward, differentiate } = plan
    const { rule, ...options } = plan.optimizer
    const { model, parameters, statistics } = gradientModel(forward, differentiate)
    const slots = ([name, { initial }]: readonly [string, { readonly initial: Start }]): Slot => ({
      name,
      tensor: new runtime.Tensor('float32', initial.data.slice(), initial.shape),
    })
    this.model = model
    this.#plan = plan
    this.#parameters = [...parameters].map(slots)
    this.#statistics = [...statistics].map(slots)
    this.#recorder = new Recorder(runtime)
    const named = this.#parameters.map((slot) => ({
      name: slot.name,
      value: slot,
      shape: slot.tensor.dims,
    }))
    // OptimizerOptions without the rule is what it was with it.
    this.optimizer = new Optimizer(this.#recorder, rule, named, options as object)
  }

  get weights(): Tensors {
    return tensorsOf([...this.#parameters, ...this.#statistics])
  }

  async step({ feeds, outputs, edges, judge }: Given): Promise<StepResult> {
    if (edges) throw new TrainerError('update "graph": shows no inner values of the rule')
    const before = this.optimizer.stateDict()
    try {
      const calls = this.#next()
      const { session, loss, next, coefficients } = await this.#prepare(calls)
      const scalars = coefficients.flatMap((inputs, i) =>
        [...inputs].map(([name, input]) => [
          input,
          new this.#plan.runtime.Tensor('float32', [calls[i].coefficients[name]], []),
        ]),
      )
      const state = [...this.#parameters, ...this.#statistics, ...this.#recorder.slots]
      const results = await session.run(
        { ...feeds, ...tensorsOf(state), ...Object.fromEntries(scalars) },
        [loss, ...next.values(), ...outputs],
      )
      const judgement = await judge(scalarOf(results, loss), results)
      for (const slot of state) slot.tensor = results[next.get(slot.name) ?? ''] ?? slot.tensor
      return { ...judgement, outcome: 'updated', updates: this.optimizer.updates }
    } catch (error) {
      this.optimizer.loadStateDict(before)
      throw error
    }
  }

  write(weights: Readonly<Record<string, Float32Array>>): void {
    for (const slot of [...this.#parameters, ...this.#statistics])
      if (slot.name in weights) this.#recorder.write(slot, weights[slot.name])
  }

  async release(): Promise<void> {
    await this.#prepared?.session.release()
  }

  /** What the optimizer does at its next step, a call for each group. It counts the step as taken. */
  #next(): readonly Call[] {
    this.#recorder.calls = []
    // Nothing is computed here: what stands for a gradient only has to be another than its parameter.
    const all = this.#parameters.map(({ name, tensor }) => [name, { name, tensor }])
    this.optimizer.step(Object.fromEntries(all))
    return this.#recorder.calls
  }

  /** Phases and settings change the kernels now and then; the train step before is then done with. */
  async #prepare(calls: readonly Call[]): Promise<Prepared> {
    const before = this.#prepared
    if (before && alike(before.calls, calls)) return before
    const { runtime, forward, differentiate, session: options } = this.#plan
    const made = trainStepModel(forward, { ...differentiate, update: calls })
    const session = await createSession(runtime, made.model, options)
    this.#prepared = { ...made, calls, session }
    await before?.session.release()
    return this.#prepared
  }
}

/** Whether one train step computes both, but for its scalars. */
const alike = (before: readonly Call[], calls: readonly Call[]): boolean =>
  before.length === calls.length &&
  calls.every(({ kernel, parameters }, i) => {
    const names = before[i].parameters
    const same = names.size === parameters.size && [...names].every((name) => parameters.has(name))
    return before[i].kernel === kernel && same
  })

const tensorsOf = (slots: readonly Slot[]): Tensors =>
  Object.fromEntries(slots.map(({ name, tensor }) => [name, tensor]))
