import type { Model } from '@diffgrad/onnx'

/** A mean and a deviation for each colour, of values from 0 to 1. */
export interface Statistics {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/** The same model for pictures that were normalized by other statistics. */
export function renormalized(model: Model, from: Statistics, to: Statistics): Model {
  const scale = from.deviation.map((deviation, c) => deviation / to.deviation[c])
  const shift = from.mean.map((mean, c) => (mean - to.mean[c]) / to.deviation[c])
  if (scale.every((s) => Math.abs(s - 1) < 1e-6) && shift.every((s) => Math.abs(s) < 1e-6))
    return model
  const [{ name: input }] = model.inputs
  const constant = (values: readonly number[]) =>
    // Scalars and integers are no parameters, but this is neither: it is kept still by its name.
    ({ type: 'float32', shape: [3, 1, 1], data: Float32Array.from(values) }) as const
  const step = (operator: string, inputs: readonly string[], output: string) => ({
    operator,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(),
  })
  const [scaled, shifted] = ['renormalization/scaled', 'renormalization/shifted']
  return {
    ...model,
    initializers: new Map(model.initializers)
      .set('renormalization/scale', constant(scale))
      .set('renormalization/shift', constant(shift)),
    nodes: [
      step('Mul', [input, 'renormalization/scale'], scaled),
      step('Add', [scaled, 'renormalization/shift'], shifted),
      ...model.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((name) => (name === input ? shifted : name)),
      })),
    ],
  }
}
