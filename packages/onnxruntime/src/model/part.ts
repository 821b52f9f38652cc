import type { Model } from '@diffgrad/onnx'
import { TrainerError } from '../error.ts'

/** What of a model some of its outputs are computed from; the rest is left out. */
export function partFor(model: Model, outputs: readonly string[]): Model {
  const needed = new Set(outputs)
  for (const node of model.nodes.toReversed())
    if (node.outputs.some((name) => needed.has(name)))
      for (const name of node.inputs) needed.add(name)
  return {
    ...model,
    nodes: model.nodes.filter((node) => node.outputs.some((name) => needed.has(name))),
    inputs: model.inputs.filter(({ name }) => needed.has(name)),
    outputs: model.outputs.filter(({ name }) => outputs.includes(name)),
    initializers: new Map([...model.initializers].filter(([name]) => needed.has(name))),
  }
}

/**
 * Makes sure that a model has outputs of some names.
 *
 * @throws {TrainerError} Naming the first that it has not.
 */
export function mustGive(model: Model, names: readonly string[]): void {
  const known = model.outputs.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TrainerError(`model: has no output "${unknown}"; it has ${known.join(', ')}`)
}
