import type { Arithmetic, Kernel } from '@diffgrad/core'
import type { Graph, Value } from './ir/graph.ts'
import { toModel } from './ir/to-model.ts'
import { staticShape } from './ir/value.ts'
import { type DifferentiateOptions, differentiate } from './loss-graph.ts'
import { describeArgument, OnnxError } from './model/error.ts'
import { elementCount, type Model, type Tensor } from './model/model.ts'
import { abs, add, div, exp, max, min, mul, sigmoid, sqrt, square, sub } from './ops/builders.ts'
import { lowerConvolutions } from './rewrites/convolutions.ts'

/** A model from a batch, targets and the training state to the loss and the next state. */
export interface TrainStepModel {
  readonly model: Model
  /** The name of the output with the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  /** The initial state: parameters, optimizer state and running statistics. Inputs of their names take it. */
  readonly state: ReadonlyMap<string, Tensor<'float32'>>
  /** For every tensor of the state, the name of the output with its next value. */
  readonly next: ReadonlyMap<string, string>
  /** For every update, the names of the scalar inputs that take its coefficients, by coefficient. */
  readonly coefficients: readonly ReadonlyMap<string, string>[]
}

/** The update of some of the parameters: a parameter group. */
export interface PartialUpdate {
  readonly kernel: Kernel
  /** The names of the parameters. Parameters that no update names do not change. */
  readonly parameters: ReadonlySet<string>
}

/** How a forward model becomes a train step. */
export interface TrainStepOptions extends DifferentiateOptions {
  /**
   * Updates `theta` by its gradient `g`. All else that the kernel reads and writes is optimizer state,
   * zero at first. One kernel for all parameters, or one per group, each with its own coefficients.
   */
  readonly update: Kernel | readonly PartialUpdate[]
}

/**
 * Makes one model of a whole train step: forward, backward and the update of every parameter.
 *
 * @throws {OnnxError} As `gradientModel` does, or if the update reads a state that it does not write.
 */
export function trainStepModel(
  forward: Model,
  { update, ...options }: TrainStepOptions,
): TrainStepModel {
  if (typeof update !== 'object' || update === null)
    throw new OnnxError(
      `train step: update must be a kernel or a list of updates, but is ${describeArgument(update)}`,
    )
  const { graph, loss, outputs, gradients, nextStatistics } = differentiate(forward, options)
  const allNames = new Set([...gradients.keys()].map(({ name }) => name))
  const updates = 'evaluate' in update ? [{ kernel: update, parameters: allNames }] : update
  const coefficients = updates.map(({ kernel }) => coefficientInputs(graph, kernel))
  const nextValues = new Map<Value, Value>(nextStatistics)
  for (const [i, { kernel, parameters }] of updates.entries())
    for (const [theta, g] of gradients)
      if (parameters.has(theta.name))
        for (const [old, value] of applyKernel(graph, kernel, { theta, g }, coefficients[i]))
          nextValues.set(old, value)

  const lossName = graph.freshName('loss')
  const namedOutputs = new Map([...outputs, [lossName, loss]])
  const state = new Map<string, Tensor<'float32'>>()
  const next = new Map<string, string>()
  for (const [{ name, initial }, value] of nextValues) {
    if (!initial) continue
    const output = graph.freshName(`next/${name}`)
    namedOutputs.set(output, value)
    next.set(name, output)
    state.set(name, initial)
  }
  const differentiated = toModel({
    name: `${forward.name}/train-step`,
    outputs: namedOutputs,
    domains: forward.domains,
    parametersAsInputs: new Set(nextValues.keys()),
  })
  const model = lowerConvolutions(differentiated, graph.lowering)
  const inputs = new Set(model.inputs.map(({ name }) => name))
  return {
    model,
    loss: lossName,
    state,
    next,
    coefficients: coefficients.map((all) => {
      const used = [...all].filter(([, value]) => inputs.has(value.name))
      return new Map(used.map(([name, value]) => [name, value.name]))
    }),
  }
}

/** Adds a scalar input for every coefficient of a kernel. */
const coefficientInputs = (graph: Graph, { coefficients }: Kernel): ReadonlyMap<string, Value> =>
  new Map(
    coefficients.map((name) => [
      name,
      graph.input(graph.freshName(`coefficient/${name}`), 'float32', []),
    ]),
  )

/** Appends the update of one parameter. Returns the next values of the parameter and its optimizer state. */
function applyKernel(
  graph: Graph,
  kernel: Kernel,
  { theta, g }: { readonly theta: Value; readonly g: Value },
  coefficients: ReadonlyMap<string, Value> = new Map(),
): ReadonlyMap<Value, Value> {
  const shape = staticShape(theta)
  const state = new Map(
    [...new Set([...kernel.reads, ...kernel.writes])]
      .filter((name) => name !== 'theta' && name !== 'g')
      .map((name) => {
        if (!kernel.writes.includes(name))
          throw new OnnxError(
            `update ${kernel.name}: reads "${name}", which it must write, but does not`,
          )
        const data = new Float32Array(elementCount(shape))
        const zeros = { type: 'float32', shape, data } as const
        return [name, graph.parameter(graph.freshName(`${theta.name}/${name}`), zeros)] as const
      }),
  )
  const values = Object.fromEntries([...state, ['theta', theta], ['g', g]])
  const written = kernel.evaluate(graphArithmetic(graph), values, Object.fromEntries(coefficients))
  return new Map(
    kernel.writes.flatMap((name) => {
      const old = values[name]
      const value = written[name]
      return old && value ? [[old, value] as const] : []
    }),
  )
}

/** An arithmetic that appends operators to a graph. */
const graphArithmetic = (graph: Graph): Arithmetic<Value> => ({
  constant: (value) => graph.scalar(value),
  add,
  sub,
  mul,
  div,
  min,
  max,
  abs,
  square,
  sqrt,
  exp,
  sigmoid,
})
