import type { Model, Node } from './model/model.ts'
import { isOperator } from './model/node.ts'

/**
 * The evaluation form of a node: BatchNormalization normalizes by its running statistics, and Dropout
 * drops nothing, even if the model was exported in training mode. Other operators have one form.
 */
export function evaluationForm(node: Node): Node {
  if (isOperator(node, 'BatchNormalization')) {
    const attributes = [...node.attributes].filter(([name]) => name !== 'training_mode')
    return { ...node, attributes: new Map(attributes), outputs: node.outputs.slice(0, 1) }
  }
  // The third input, absent by default, is the training mode.
  if (isOperator(node, 'Dropout')) return { ...node, inputs: node.inputs.slice(0, 2) }
  return node
}

/** Returns the model in evaluation mode, as it is used after training. */
export const inferenceModel = (model: Model): Model => ({
  ...model,
  nodes: model.nodes.map(evaluationForm),
})
