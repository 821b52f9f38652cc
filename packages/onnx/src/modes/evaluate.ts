import { evaluationForm } from '../inference-model.ts'
import { applyOperator } from '../ops/apply.ts'
import type { Placement } from '../ops/from-model.ts'
import type { Mode } from './mode.ts'

/** Running statistics normalize, and nothing is dropped, however the model was exported. */
export const evaluateMode = (): Mode => ({ placements: [evaluated], statistics: new Map() })

/** A node in its evaluation form, where that is another than its own. */
export const evaluated: Placement = (graph, node, inputs) => {
  const form = evaluationForm(node)
  if (form === node) return
  const { operator, name, attributes, outputs } = form
  const read = inputs.slice(0, form.inputs.length)
  return applyOperator(graph, operator, read, { name, attributes, outputs }).outputs
}
