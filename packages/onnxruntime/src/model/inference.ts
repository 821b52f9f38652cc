import type { Model } from '@diffgrad/onnx'

/**
 * The same model, as it is used after training: normalizations take their running statistics, and
 * nothing is dropped, however the model was exported.
 */
export function inferenceModel(model: Model): Model {
  const nodes = model.nodes.map((node) => {
    switch (node.operator) {
      case 'BatchNormalization': {
        const attributes = [...node.attributes].filter(([name]) => name !== 'training_mode')
        return { ...node, attributes: new Map(attributes), outputs: node.outputs.slice(0, 1) }
      }
      case 'Dropout':
        return { ...node, inputs: node.inputs.slice(0, 2) }
      default:
        return node
    }
  })
  return { ...model, nodes }
}
