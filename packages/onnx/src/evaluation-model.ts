import { toModel } from './ir/to-model.ts'
import { lossGraph, type ModelOptions } from './loss-graph.ts'
import type { Model, Tensor } from './model/model.ts'
import { lowerConvolutions } from './rewrites/convolutions.ts'
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
  const model = lowerConvolutions(plain, graph.lowering)
  const inputs = new Set(model.inputs.map(({ name }) => name))
  const state = variables.flatMap(({ name, initial }) =>
    initial && inputs.has(name) ? [[name, initial] as const] : [],
  )
  return { model, loss: lossName, state: new Map(state) }
}

/** Returns a model in evaluation mode, for use after training: every node in its `evaluationForm`. */
export const inferenceModel = (model: Model): Model => ({
  ...model,
  nodes: model.nodes.map(evaluationForm),
})
