import { gradients } from './autodiff/gradients.ts'
import { Graph, type Value } from './ir/graph.ts'
import { cpuLowering, type Lowering } from './ir/lowering.ts'
import { OnnxError } from './model/error.ts'
import { initializerRoles } from './model/initializer-roles.ts'
import type { Model } from './model/model.ts'
import type { Loss } from './nn/losses.ts'
import { type InputSizes, importModel } from './rewrites/import.ts'
import { loweringRules } from './rewrites/lowering.ts'
import { evaluateMode, trainMode } from './rewrites/modes.ts'

/** The loss of a forward model, and which of its parameters are trained. */
export interface ModelOptions extends InputSizes {
  readonly loss: Loss
  /** Patterns of parameter names that are not trained. They become constants, so they cost no gradient. */
  readonly frozen?: readonly RegExp[]
  /** How operators and gradients are written. Default: the fastest forms on the CPU. */
  readonly lowering?: Partial<Lowering>
}

/** How a forward model is differentiated. */
export interface DifferentiateOptions extends ModelOptions {
  /**
   * `train` normalizes by batch statistics and drops; `evaluate` normalizes by running statistics and
   * does not drop. Default `train`.
   */
  readonly mode?: 'train' | 'evaluate'
}

/** A forward model and its loss in one graph. */
export interface LossGraph {
  readonly graph: Graph
  /** A scalar. */
  readonly loss: Value
  readonly outputs: ReadonlyMap<string, Value>
  /** The trainable parameters. */
  readonly parameters: readonly Value[]
  /** The running means and variances that training updates. */
  readonly statistics: readonly Value[]
  /** The next value of each running statistic: empty in evaluation mode. */
  readonly nextStatistics: ReadonlyMap<Value, Value>
}

/** A forward model, its loss and its gradients in one graph. */
export interface GradientGraph extends LossGraph {
  /** The gradient of every parameter that the loss depends on. */
  readonly gradients: ReadonlyMap<Value, Value>
}

/** Imports a model and its loss into one graph. */
export function lossGraph(
  model: Model,
  mode: 'train' | 'evaluate',
  { loss, frozen = [], lowering, ...sizes }: ModelOptions,
): LossGraph {
  const graph = new Graph({ ...cpuLowering, ...lowering })
  const roles = initializerRoles(model, frozen)
  const { rules, nextStatistics } = mode === 'train' ? trainMode(frozen) : evaluateMode()
  const values = importModel(graph, model, {
    ...sizes,
    isParameter: (name) => roles.parameters.has(name) || roles.statistics.has(name),
    rules: [...rules, ...loweringRules],
  })
  const outputs = new Map(
    model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value] as const] : []
    }),
  )
  const valuesOf = (names: Iterable<string>): readonly Value[] =>
    [...names].flatMap((name) => values.get(name) ?? [])
  return {
    graph,
    loss: loss(outputs),
    outputs,
    parameters: valuesOf(roles.parameters.keys()),
    statistics: valuesOf(roles.statistics.keys()),
    nextStatistics,
  }
}

/**
 * Imports a model, its loss and the gradients of its parameters into one graph.
 *
 * @throws {OnnxError} If an operator cannot be differentiated, or the loss depends on no parameter.
 */
export function differentiate(
  model: Model,
  { mode = 'train', ...options }: DifferentiateOptions,
): GradientGraph {
  const forward = lossGraph(model, mode, options)
  const all = gradients(forward.loss, forward.parameters)
  if (all.size === 0)
    throw new OnnxError('model: the loss must depend on a parameter, but does not')
  return { ...forward, gradients: all }
}
