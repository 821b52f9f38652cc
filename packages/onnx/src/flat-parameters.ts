import type { Value } from './ir/graph.ts'
import { staticShape } from './ir/value.ts'
import { elementCount, type Model, type Node, type ValueInfo } from './model/model.ts'

/** Arrays of several parameters that are one vector. */
export interface FlatArray {
  /** An input of the model. */
  readonly value: Value
  /** The parameters, in the order of their elements. */
  readonly parameters: readonly Value[]
}

/** Replaces inputs that are parts of vectors by the vectors, and nodes that cut them out. */
export function withFlatParameters(model: Model, vectors: readonly FlatArray[]): Model {
  const initializers = new Map(model.initializers)
  const constant = (name: string, values: readonly number[]): string => {
    const data = BigInt64Array.from(values, BigInt)
    initializers.set(name, { type: 'int64', shape: [values.length], data })
    return name
  }
  const nodes: Node[] = []
  const values = new Map(model.values)
  const node = (operator: string, inputs: readonly string[], output: ValueInfo): void => {
    const name = `${output.name}/${operator}`
    const attributes = new Map()
    nodes.push({ operator, domain: '', name, inputs, outputs: [output.name], attributes })
    values.set(output.name, output)
  }
  const parts = new Set<string>()
  const used = new Set(model.inputs.map(({ name }) => name))
  for (const { value, parameters } of vectors) {
    let start = 0
    for (const parameter of parameters) {
      const shape = staticShape(parameter)
      const length = elementCount(shape)
      const end = start + length
      const { name, type } = parameter
      if (used.has(name)) {
        const bounds = [constant(`${name}/start`, [start]), constant(`${name}/end`, [end])]
        const flat = { name: `${name}/flat`, type, shape: [length] }
        node('Slice', [value.name, ...bounds], flat)
        node('Reshape', [flat.name, constant(`${name}/shape`, shape)], { name, type, shape })
      }
      parts.add(name)
      start = end
    }
  }
  const inputs = model.inputs.filter(({ name }) => !parts.has(name))
  const missing = vectors.filter(({ value }) => !used.has(value.name))
  return {
    ...model,
    inputs: [
      ...inputs,
      ...missing.map(({ value: { name, type, shape } }) => ({ name, type, shape })),
    ],
    nodes: [...nodes, ...model.nodes],
    initializers,
    values,
  }
}
