import { applyOperator } from '../ops/apply.ts'
import type { Placement } from '../ops/from-model.ts'
import type { Mode } from './mode.ts'

/** Running statistics normalize, and nothing is dropped, however the model was exported. */
export const evaluateMode = (): Mode => ({
  placements: [normalizeByRunning, dropNothing],
  statistics: new Map(),
})

/** A BatchNormalization that was exported in training. */
export const normalizeByRunning: Placement = (graph, node, inputs) => {
  if (node.operator !== 'BatchNormalization' || !node.attributes.get('training_mode')) return
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'training_mode'))
  const { name, outputs } = node
  return applyOperator(graph, node.operator, inputs, {
    name,
    attributes,
    outputs: outputs.slice(0, 1),
  }).outputs
}

const dropNothing: Placement = (_graph, node, inputs) =>
  node.operator === 'Dropout' ? inputs.slice(0, 1) : undefined
