import type { Arithmetic, Kernel } from '@diffgrad/core'
import { type DifferentiateOptions, differentiate } from './differentiate.ts'
import { OnnxError } from './error.ts'
import type { Graph } from './ir/graph.ts'
import { toModel } from './ir/to-model.ts'
import { sizes, type Value } from './ir/value.ts'
import { elementCount, type Model, type Tensor } from './model/model.ts'
import { abs, add, div, exp, max, min, mul, sigmoid, sqrt, square, sub } from './ops/operations.ts'

/** A model that takes a batch, targets and all that is remembered, and gives what that becomes. */
export interface TrainStepModel {
  readonly model: Model
  /** The output that gives the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  /** Parameters, the update rule's memory and running statistics: what the inputs start from. */
  readonly state: ReadonlyMap<string, Tensor<'float32'>>
  /** For every part of the state, the output that gives what to feed in its place at the next step. */
  readonly next: ReadonlyMap<string, string>
  /** For every update, the inputs, all scalars, that take its coefficients, by the coefficients' names. */
  readonly coefficients: readonly ReadonlyMap<string, string>[]
}

/** How some of the parameters are moved. */
export interface PartialUpdate {
  readonly kernel: Kernel
  /** The names of the parameters; one that no update names stays as it is. */
  readonly parameters: ReadonlySet<string>
}

/** How a forward model becomes a train step. */
export interface TrainStepOptions extends DifferentiateOptions {
  /**
   * Moves `theta` by its gradient `g`; whatever else it reads and writes is its memory, zero at first.
   * One kernel for all parameters, or several, each with coefficients of its own.
   */
  readonly update: Kernel | readonly PartialUpdate[]
}

/**
 * Makes one model of a whole train step: forward, backward and the update of every parameter.
 * @throws {OnnxError} As `gradientModel` does, or when the update reads what it never writes.
 */
export function trainStepModel(
  model: Model,
  { update, ...options }: TrainStepOptions,
): TrainStepModel {
  const { graph, loss, outputs, gradients, statistics } = differentiate(model, options)
  const everything = new Set([...gradients.keys()].map(({ name }) => name))
  const updates = 'evaluate' in update ? [{ kernel: update, parameters: everything }] : update
  const scalars = updates.map(({ kernel }) => scalarsOf(graph, kernel))
  const changes = new Map<Value, Value>(statistics)
  for (const [i, { kernel, parameters }] of updates.entries())
    for (const [theta, g] of gradients)
      if (parameters.has(theta.name))
        for (const [old, value] of updated(graph, kernel, { theta, g }, scalars[i] ?? new Map()))
          changes.set(old, value)

  const nameOfLoss = graph.freshName('loss')
  const named = new Map([...outputs, [nameOfLoss, loss]])
  const state = new Map<string, Tensor<'float32'>>()
  const next = new Map<string, string>()
  for (const [{ name, initial }, value] of changes) {
    if (!initial) continue
    const given = graph.freshName(`next/${name}`)
    named.set(given, value)
    next.set(name, given)
    state.set(name, initial)
  }
  const made = toModel({
    name: `${model.name}/train-step`,
    outputs: named,
    domains: model.domains,
    free: new Set(changes.keys()),
  })
  const inputs = new Set(made.inputs.map(({ name }) => name))
  return {
    model: made,
    loss: nameOfLoss,
    state,
    next,
    coefficients: scalars.map((coefficients) => {
      const used = [...coefficients].filter(([, value]) => inputs.has(value.name))
      return new Map(used.map(([name, value]) => [name, value.name]))
    }),
  }
}

/** An input for every coefficient of a kernel. */
const scalarsOf = (graph: Graph, { coefficients }: Kernel): ReadonlyMap<string, Value> =>
  new Map(
    coefficients.map((name) => [
      name,
      graph.input(graph.freshName(`coefficient/${name}`), 'float32', []),
    ]),
  )

/** The update of one parameter: what it and its memory become. */
function updated(
  graph: Graph,
  update: Kernel,
  { theta, g }: { readonly theta: Value; readonly g: Value },
  coefficients: ReadonlyMap<string, Value>,
): ReadonlyMap<Value, Value> {
  const shape = sizes(theta)
  const slots = new Map(
    [...new Set([...update.reads, ...update.writes])]
      .filter((name) => name !== 'theta' && name !== 'g')
      .map((name) => {
        if (!update.writes.includes(name))
          throw new OnnxError(
            `update ${update.name}: reads "${name}", which it must write, but does not`,
          )
        const zeros = {
          type: 'float32',
          shape,
          data: new Float32Array(elementCount(shape)),
        } as const
        return [name, graph.parameter(graph.freshName(`${theta.name}/${name}`), zeros)] as const
      }),
  )
  const values = Object.fromEntries([...slots, ['theta', theta], ['g', g]])
  const written = update.evaluate(valuesIn(graph), values, Object.fromEntries(coefficients))
  return new Map(
    update.writes.flatMap((name) => {
      const old = values[name]
      const value = written[name]
      return old && value ? [[old, value] as const] : []
    }),
  )
}

/** Arithmetic that appends operators to a graph. */
const valuesIn = (graph: Graph): Arithmetic<Value> => ({
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
