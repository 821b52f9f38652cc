import { toModel } from './ir/to-model.ts'
import type { Model, Tensor } from './model/model.ts'
import { type ModelOptions, placeModel } from './place-model.ts'

/** A model that takes a batch, targets and parameters, and gives the loss and the model's outputs. */
export interface EvaluationModel {
  readonly model: Model
  /** The output that gives the loss. The forward model's own outputs keep their names. */
  readonly loss: string
  /** Parameters and running statistics: inputs of their names take them. */
  readonly state: ReadonlyMap<string, Tensor<'float32'>>
}

/**
 * Makes the model that tells how good parameters are while they are trained: running statistics
 * normalize, nothing is dropped, and nothing is differentiated.
 * @throws {OnnxError} When a size is left open, or an operator's shapes are not known.
 */
export function evaluationModel(model: Model, options: ModelOptions): EvaluationModel {
  const { graph, loss, outputs, parameters, running } = placeModel(model, 'evaluate', options)
  const nameOfLoss = graph.freshName('loss')
  const made = toModel({
    name: `${model.name}/evaluation`,
    outputs: new Map([...outputs, [nameOfLoss, loss]]),
    domains: model.domains,
    free: new Set([...parameters, ...running]),
  })
  const inputs = new Set(made.inputs.map(({ name }) => name))
  const state = [...parameters, ...running].flatMap(({ name, initial }) =>
    initial && inputs.has(name) ? [[name, initial] as const] : [],
  )
  return { model: made, loss: nameOfLoss, state: new Map(state) }
}
