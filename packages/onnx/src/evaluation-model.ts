import type { Value } from './ir/graph.ts'
import { cpuLowering, type Lowering } from './ir/lowering.ts'
import { toModel } from './ir/to-model.ts'
import {
  type DifferentiateOptions,
  forwardGraph,
  lossGraph,
  type ModelOptions,
} from './loss-graph.ts'
import type { Model, Tensor } from './model/model.ts'
import { isOperator } from './model/node.ts'
import { lowerModel } from './rewrites/lower-model.ts'
import { evaluationForm } from './rewrites/modes.ts'

/** A model from a batch, targets and parameters to the loss and the forward model's outputs. */
export interface EvaluationModel {
  readonly model: Model
  /** The name of the output with the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  /** Parameters and running statistics. Inputs of their names take their values. */
  readonly state: ReadonlyMap<string, Tensor<'float32'>>
}

/**
 * Makes the model that evaluates parameters during training: in evaluation mode, without gradients.
 *
 * @throws {OnnxError} If a size is not given, or an operator's shapes cannot be inferred.
 */
export function evaluationModel(forward: Model, options: ModelOptions): EvaluationModel {
  const { graph, loss, outputs, parameters, statistics } = lossGraph(forward, 'evaluate', options)
  const variables = [...parameters, ...statistics]
  const lossName = graph.freshName('loss')
  const plain = toModel({
    name: `${forward.name}/evaluation`,
    outputs: new Map([...outputs, [lossName, loss]]),
    domains: forward.domains,
    parametersAsInputs: new Set(variables),
  })
  const model = lowerModel(plain, graph.lowering)
  const inputs = new Set(model.inputs.map(({ name }) => name))
  const state = variables.flatMap(({ name, initial }) =>
    initial && inputs.has(name) ? [[name, initial] as const] : [],
  )
  return { model, loss: lossName, state: new Map(state) }
}

/** A model from a batch and parameters to the statistics of the batch. */
export interface StatisticsModel {
  readonly model: Model
  /**
   * The outputs of each running mean and variance, by its name: the statistic of the batch, once for each
   * normalization that updates it. A model without batch normalization in training mode has none.
   */
  readonly statistics: ReadonlyMap<string, readonly string[]>
}

/**
 * Makes the model that computes the statistics of batches in training mode, without loss and gradients.
 * Inputs of the names of parameters take their values.
 *
 * @throws {OnnxError} If a size is not given, or an operator's shapes cannot be inferred.
 */
export function statisticsModel(
  forward: Model,
  { mode = 'train', gradientRules: _, ...options }: DifferentiateOptions,
): StatisticsModel {
  const { graph, parameters, nextStatistics, batchStatistics } = lossGraph(forward, mode, options)
  const namedOutputs = new Map<string, Value>()
  const statistics = new Map<string, readonly string[]>()
  for (const [{ name }, ofBatches] of batchStatistics) {
    const outputs = ofBatches.map(({ batch }) => {
      const output = graph.freshName(`batch/${name}`)
      namedOutputs.set(output, batch)
      return output
    })
    statistics.set(name, outputs)
  }
  const plain = toModel({
    name: `${forward.name}/statistics`,
    outputs: namedOutputs,
    parametersAsInputs: new Set([...parameters, ...nextStatistics.keys()]),
    domains: forward.domains,
  })
  return { model: lowerModel(plain, graph.lowering), statistics }
}

/** The sizes and forms of an inference model. */
export interface InferenceOptions extends Omit<ModelOptions, 'loss' | 'frozen'> {
  /** With it, sizes must be given, and convolutions are written in its forms. */
  readonly lowering?: Partial<Lowering>
}

/**
 * Returns a model in evaluation mode, for use after training: every node in its `evaluationForm`. With
 * `rewriteRules`, it runs where the model's own operators do not.
 *
 * @throws {OnnxError} If there is a `lowering` or are `rewriteRules`, and a size is not given.
 */
export function inferenceModel(model: Model, options: InferenceOptions = {}): Model {
  const { lowering, dimensions = {}, shapes = {}, rewriteRules } = options
  const inference = rewriteRules
    ? toModel({
        name: model.name,
        outputs: forwardGraph(model, 'evaluate', options).outputs,
        domains: model.domains,
      })
    : { ...model, nodes: model.nodes.map(evaluationForm) }
  if (!lowering || !model.nodes.some((node) => isOperator(node, 'Conv'))) return inference
  const sizes = rewriteRules ? {} : { dimensions, shapes }
  return lowerModel(inference, { ...cpuLowering, ...lowering }, sizes)
}
