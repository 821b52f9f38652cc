import { type Hyperparameters, Optimizer } from '@diffgrad/core'
import {
  gradientModel,
  type Model,
  type Tensor,
  type TrainStepModel,
  trainStepModel,
} from '@diffgrad/onnx'
import type { InferenceSession } from 'onnxruntime-common'
import { TrainerError } from '../errors.ts'
import { createSession, float32Scalar, type Tensors } from '../runtime.ts'
import { KernelTracer, type TracedKernel, type Variable } from './trace.ts'
import {
  type StepInput,
  type StepResult,
  type Update,
  type UpdateSpec,
  withOutputs,
} from './update.ts'

/** A train-step model with its session, and the kernels that it contains. */
interface CompiledStep extends TrainStepModel {
  readonly kernels: readonly TracedKernel[]
  readonly session: InferenceSession
}

/** Updates the weights inside the model that computes their gradients. */
export class GraphUpdate<H extends Hyperparameters> implements Update<H> {
  readonly model: Model
  readonly optimizer: Optimizer<Variable, H>
  readonly #spec: UpdateSpec<H>
  readonly #tracer: KernelTracer
  readonly #parameters: readonly Variable[]
  readonly #statistics: readonly Variable[]
  #compiled: CompiledStep | undefined

  static async create<H extends Hyperparameters>(spec: UpdateSpec<H>): Promise<GraphUpdate<H>> {
    const update = new GraphUpdate(spec)
    const initial = update.optimizer.stateDict()
    await update.#compile(update.#traceStep())
    update.optimizer.loadStateDict(initial)
    return update
  }

  private constructor(spec: UpdateSpec<H>) {
    const { runtime, forward, differentiate } = spec
    const { rule, ...options } = spec.optimizer
    const { model, parameters, statistics } = gradientModel(forward, differentiate)
    const variables = (
      initials: ReadonlyMap<string, { readonly initial: Tensor<'float32'> }>,
    ): readonly Variable[] =>
      [...initials].map(
        ([
          name,
          {
            initial: { data, shape },
          },
        ]) => ({
          name,
          tensor: new runtime.Tensor('float32', data.slice(), shape),
        }),
      )
    this.model = model
    this.#spec = spec
    this.#parameters = variables(parameters)
    this.#statistics = variables(statistics)
    this.#tracer = new KernelTracer(runtime)
    const named = this.#parameters.map((variable) => {
      const { name, tensor } = variable
      return { name, value: variable, shape: tensor.dims }
    })
    // The rest of OptimizerSpec is OptimizerOptions, which TypeScript cannot derive for a generic H.
    this.optimizer = new Optimizer(this.#tracer, rule, named, options as object)
  }

  get weights(): Tensors {
    return tensorsOf([...this.#parameters, ...this.#statistics])
  }

  async step({ feeds, histogramEdges, computeMetrics }: StepInput): Promise<StepResult> {
    if (histogramEdges)
      throw new TrainerError('update "graph": does not support histograms; use update "kernel"')
    const before = this.optimizer.stateDict()
    try {
      const kernels = this.#traceStep()
      const { session, loss, next, coefficients } = await this.#compile(kernels)
      const scalars = coefficients.flatMap((inputs, i) =>
        [...inputs].map(([name, input]) => [
          input,
          new this.#spec.runtime.Tensor('float32', [kernels[i].coefficients[name]], []),
        ]),
      )
      const variables = [...this.#parameters, ...this.#statistics, ...this.#tracer.state]
      const results = await session.run({
        ...feeds,
        ...tensorsOf(variables),
        ...Object.fromEntries(scalars),
      })
      const evaluation = await computeMetrics(float32Scalar(results, loss), results)
      for (const variable of variables)
        variable.tensor = results[next.get(variable.name) ?? ''] ?? variable.tensor
      return { ...evaluation, outcome: 'updated', updates: this.optimizer.updates }
    } catch (error) {
      this.optimizer.loadStateDict(before)
      throw error
    }
  }

  write(weights: Readonly<Record<string, Float32Array>>): void {
    for (const variable of [...this.#parameters, ...this.#statistics])
      if (variable.name in weights) this.#tracer.write(variable, weights[variable.name])
  }

  async release(): Promise<void> {
    await this.#compiled?.session.release()
  }

  /** The kernels of the optimizer's next step, one for each group. Advances the optimizer's counters. */
  #traceStep(): readonly TracedKernel[] {
    // A gradient must be another object than its parameter; the tracer reads neither.
    const gradients = this.#parameters.map(({ name, tensor }) => [name, { name, tensor }])
    return this.#tracer.trace(() => this.optimizer.step(Object.fromEntries(gradients)))
  }

  /** Compiles a train step, or returns the last one if it has the same kernels. */
  async #compile(kernels: readonly TracedKernel[]): Promise<CompiledStep> {
    const last = this.#compiled
    if (last && sameKernels(last.kernels, kernels)) return last
    const { runtime, forward, differentiate, outputs, session: options } = this.#spec
    const step = trainStepModel(forward, { ...differentiate, update: kernels })
    const model = withOutputs(step.model, forward, outputs)
    const session = await createSession(runtime, model, options)
    this.#compiled = { ...step, kernels, session }
    await last?.session.release()
    return this.#compiled
  }
}

/** Whether two lists are equal except for their coefficients. */
const sameKernels = (a: readonly TracedKernel[], b: readonly TracedKernel[]): boolean =>
  a.length === b.length &&
  a.every(({ kernel, parameters }, i) => {
    const other = b[i].parameters
    const sameNames =
      other.size === parameters.size && [...parameters].every((name) => other.has(name))
    return kernel === b[i].kernel && sameNames
  })

const tensorsOf = (variables: readonly Variable[]): Tensors =>
  Object.fromEntries(variables.map(({ name, tensor }) => [name, tensor]))
