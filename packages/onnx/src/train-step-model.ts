import type { Kernel } from '@diffgrad/core'
import { withFlatParameters } from './flat-parameters.ts'
import type { Value } from './ir/graph.ts'
import { toModel } from './ir/to-model.ts'
import { type DifferentiateOptions, differentiate } from './loss-graph.ts'
import { describeArgument, OnnxError } from './model/error.ts'
import type { Model, Tensor } from './model/model.ts'
import { lowerModel } from './rewrites/lower-model.ts'
import type { StepOperation } from './step-operations.ts'
import { StepState } from './step-state.ts'

/** A model from a batch, targets and the training state to the loss and the next state. */
export interface TrainStepModel {
  readonly model: Model
  /** The name of the output with the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  /** The initial state: parameters, optimizer state and running statistics. Inputs of their names take it. */
  readonly state: ReadonlyMap<string, Tensor<'float32'>>
  /** For every tensor of the state that the step changes, the name of the output with its next value. */
  readonly next: ReadonlyMap<string, string>
  /** For every operation of the update, the names of the scalar inputs that take its coefficients. */
  readonly coefficients: readonly ReadonlyMap<string, string>[]
  /** For every operation, the names of the outputs with the next scalar state, which depends on sums. */
  readonly scalars: readonly ReadonlyMap<string, string>[]
  /** The input that takes each array of a parameter: `theta` or its optimizer state, by `arrayKey`. */
  readonly arrays: ReadonlyMap<string, string>
  /** The outputs with the arrays of `results`, by `arrayKey`. */
  readonly results: ReadonlyMap<string, string>
  /** The output with Σ|g| over all gradients, if `gradientSum` was requested: not finite if a gradient is not. */
  readonly gradientSum?: string
}

/** How a forward model becomes a train step. */
export interface TrainStepOptions extends DifferentiateOptions {
  /**
   * Updates `theta` by its gradient `g`. All other arrays that it reads and writes are optimizer state, zero
   * at first. One kernel for all parameters, or operations on some of them, each with its own coefficients.
   */
  readonly update: Kernel | readonly StepOperation[]
  /**
   * Lists of parameters whose arrays of one name are one vector, so that a kernel is one row of nodes and
   * not one for every parameter: the faster form on accelerators. Default: none.
   */
  readonly flat?: readonly (readonly string[])[]
  /** Names of arrays that the model does not keep; zero at first. */
  readonly temporary?: readonly string[]
  /** Which of them it returns. */
  readonly results?: readonly string[]
  /** Whether the model returns Σ|g|. */
  readonly gradientSum?: boolean
}

/**
 * Makes one model of a whole train step: forward, backward and the update of every parameter.
 *
 * @throws {OnnxError} As `gradientModel` does, or if the update reads a state that it does not write.
 */
export function trainStepModel(
  forward: Model,
  {
    update,
    flat = [],
    temporary = [],
    results = [],
    gradientSum = false,
    ...options
  }: TrainStepOptions,
): TrainStepModel {
  if (typeof update !== 'object' || update === null)
    throw new OnnxError(
      `train step: update must be a kernel or a list of operations, but is ${describeArgument(update)}`,
    )
  const { graph, loss, outputs, gradients, nextStatistics } = differentiate(forward, options)
  const all = [...gradients.keys()].map(({ name }) => name)
  const operations = 'evaluate' in update ? [{ kernel: update, parameters: all }] : update
  const state = new StepState(graph, gradients, { flat, temporary })
  const sum = gradientSum ? state.absoluteSum('g') : undefined
  const appended = operations.map((operation) => state.append(operation))
  state.checkWritten()

  const namedOutputs = new Map([...outputs])
  const output = (stem: string, value: Value): string => {
    const name = graph.freshName(stem)
    namedOutputs.set(name, value)
    return name
  }
  const lossName = output('loss', loss)
  const sumName = sum && output('gradientSum', sum)
  const initials = new Map<string, Tensor<'float32'>>()
  const next = new Map<string, string>()
  const changed = new Map<Value, Value>([...nextStatistics, ...state.changes()])
  for (const [{ name, initial }, value] of changed) {
    if (!initial) continue
    next.set(name, output(`next/${name}`, value))
    initials.set(name, initial)
  }
  const scalars = appended.map(
    (one, i) =>
      new Map([...one.scalars].map(([name, value]) => [name, output(`next/${i}/${name}`, value)])),
  )
  const resultNames = new Map(
    [...state.results(results)].map(
      ([key, value]) => [key, output(`result/${key.replace('\n', '/')}`, value)] as const,
    ),
  )
  const differentiated = toModel({
    name: `${forward.name}/train-step`,
    outputs: namedOutputs,
    domains: forward.domains,
    parametersAsInputs: new Set([...gradients.keys(), ...state.inputs, ...changed.keys()]),
  })
  const vectors = state.flatParameters
  const model = withFlatParameters(lowerModel(differentiated, graph.lowering), vectors)
  for (const { value } of vectors) if (value.initial) initials.set(value.name, value.initial)
  for (const { name, initial } of gradients.keys())
    if (initial && model.inputs.some((input) => input.name === name)) initials.set(name, initial)
  const inputs = new Set(model.inputs.map(({ name }) => name))
  return {
    model,
    loss: lossName,
    state: initials,
    next,
    coefficients: appended.map(({ coefficients }) => {
      const used = [...coefficients].filter(([, value]) => inputs.has(value.name))
      return new Map(used.map(([name, value]) => [name, value.name]))
    }),
    scalars,
    arrays: state.arrays(),
    results: resultNames,
    ...(sumName !== undefined && { gradientSum: sumName }),
  }
}
