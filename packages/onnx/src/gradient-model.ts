import { type DifferentiateOptions, differentiate } from './differentiate.ts'
import { toModel } from './ir/to-model.ts'
import type { Value } from './ir/value.ts'
import type { Model, Tensor } from './model/model.ts'

/** A parameter of a gradient model: an input of its name takes it. */
export interface TrainedParameter {
  readonly initial: Tensor<'float32'>
  /** The output that gives its gradient. */
  readonly gradient: string
}

/** A running statistic of a gradient model: an input of its name takes it. */
export interface RunningStatistic {
  readonly initial: Tensor<'float32'>
  /** The output that gives what it becomes. */
  readonly next: string
}

/** A model that takes a batch, targets and parameters, and gives the loss and its gradients. */
export interface GradientModel {
  readonly model: Model
  /** The output that gives the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  readonly parameters: ReadonlyMap<string, TrainedParameter>
  readonly statistics: ReadonlyMap<string, RunningStatistic>
}

/**
 * Makes the gradient model of a forward model, of standard operators only.
 * @throws {OnnxError} When an operator cannot be differentiated, or a size is left open.
 */
export function gradientModel(model: Model, options: DifferentiateOptions): GradientModel {
  const { graph, loss, outputs, gradients, statistics } = differentiate(model, options)
  const nameOfLoss = graph.freshName('loss')
  const named = new Map([...outputs, [nameOfLoss, loss]])
  const parameters = new Map<string, TrainedParameter>()
  for (const [{ name, initial }, gradient] of gradients) {
    if (!initial) continue
    const given = graph.freshName(`gradient/${name}`)
    named.set(given, gradient)
    parameters.set(name, { initial, gradient: given })
  }
  const running = new Map<string, RunningStatistic>()
  for (const [{ name, initial }, value] of statistics) {
    if (!initial) continue
    const next = graph.freshName(`next/${name}`)
    named.set(next, value)
    running.set(name, { initial, next })
  }
  const free = new Set<Value>([...gradients.keys(), ...statistics.keys()])
  const made = toModel({
    name: `${model.name}/gradient`,
    outputs: named,
    free,
    domains: model.domains,
  })
  return { model: made, loss: nameOfLoss, parameters, statistics: running }
}
