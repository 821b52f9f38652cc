import type { Value } from './ir/graph.ts'
import { toModel } from './ir/to-model.ts'
import { type DifferentiateOptions, differentiate } from './loss-graph.ts'
import type { Model, Tensor } from './model/model.ts'
import { maxStep } from './ops/dropout.ts'
import { lowerModel } from './rewrites/lower-model.ts'

/** A trained parameter of a gradient model. An input of its name takes its value. */
export interface TrainedParameter {
  readonly initial: Tensor<'float32'>
  /** The name of the output with its gradient. */
  readonly gradient: string
}

/** A running statistic of a gradient model. An input of its name takes its value. */
export interface RunningStatistic {
  readonly initial: Tensor<'float32'>
  /** The name of the output with its next value. */
  readonly next: string
  /**
   * What makes the next value of steps on several batches: for each, in order, r ← momentum · r +
   * (1 − momentum) · batch in float32, where `output` names the batch's statistic; a count of steps, r ← r + 1
   * modulo a number; or one power iteration of a spectral norm, which depends on parameters only.
   */
  readonly update:
    | { readonly averages: readonly { readonly output: string; readonly momentum: number }[] }
    | { readonly countModulo: number }
    | { readonly powerIteration: true }
}

/** A model from a batch, targets and parameters to the loss and its gradients. */
export interface GradientModel {
  readonly model: Model
  /** The name of the output with the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  readonly parameters: ReadonlyMap<string, TrainedParameter>
  readonly statistics: ReadonlyMap<string, RunningStatistic>
}

/**
 * Makes the gradient model of a forward model, from standard operators only.
 *
 * @param extra - whether the statistics of the batch are outputs, too. Default: they are not.
 * @throws {OnnxError} If an operator cannot be differentiated, or a size is not given.
 */
export function gradientModel(
  forward: Model,
  options: DifferentiateOptions,
  extra: { readonly batchStatistics?: boolean } = {},
): GradientModel {
  const gradientGraph = differentiate(forward, options)
  const { graph, loss, outputs, gradients } = gradientGraph
  const { statistics: ofModel, nextStatistics, batchStatistics } = gradientGraph
  const lossName = graph.freshName('loss')
  const namedOutputs = new Map([...outputs, [lossName, loss]])
  const parameters = new Map<string, TrainedParameter>()
  for (const [{ name, initial }, value] of gradients) {
    if (!initial) continue
    const gradient = graph.freshName(`gradient/${name}`)
    namedOutputs.set(gradient, value)
    parameters.set(name, { initial, gradient })
  }
  const statistics = new Map<string, RunningStatistic>()
  for (const [running, value] of nextStatistics) {
    const { name, initial } = running
    if (!initial) continue
    const next = graph.freshName(`next/${name}`)
    namedOutputs.set(next, value)
    const averages = batchStatistics.get(running)?.map(({ batch, momentum }) => {
      const output = graph.freshName(`batch/${name}`)
      if (extra.batchStatistics) namedOutputs.set(output, batch)
      return { output, momentum }
    })
    statistics.set(name, {
      initial,
      next,
      // Without averages, it is a vector of a spectral norm, or the count of Dropout, which the model lacks.
      update: averages
        ? { averages }
        : ofModel.includes(running)
          ? { powerIteration: true }
          : { countModulo: maxStep },
    })
  }
  const differentiated = toModel({
    name: `${forward.name}/gradient`,
    outputs: namedOutputs,
    parametersAsInputs: new Set<Value>([...gradients.keys(), ...nextStatistics.keys()]),
    domains: forward.domains,
  })
  const model = lowerModel(differentiated, graph.lowering)
  return { model, loss: lossName, parameters, statistics }
}
