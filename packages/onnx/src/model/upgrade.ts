import { changes, type Surroundings } from './changes.ts'
import { bfloat16, float16 } from './data-type.ts'
import type { Model, Node } from './model.ts'

/** The operator sets that can be read; the newest is the one that models are kept in and written as. */
export const oldestOpset: number = 13
export const newestOpset: number = 21

/** Brings a model of an older operator set up to the newest: only what changed its meaning or its form. */
export function upgrade(model: Model, opset: number): Model {
  const initializers = new Map(model.initializers)
  const names = ({ name }: { readonly name: string }): string => name
  const made = model.nodes.flatMap(({ outputs }) => outputs)
  const taken = new Set([...initializers.keys(), ...model.inputs.map(names), ...made])
  const read = new Set([
    ...model.outputs.map(names),
    ...model.nodes.flatMap(({ inputs }) => inputs),
  ])
  const surroundings: Surroundings = {
    input(name, tensor) {
      let free = name
      while (taken.has(free)) free += '_'
      taken.add(free)
      initializers.set(free, tensor)
      return free
    },
    isRead: (name) => name !== '' && read.has(name),
  }
  const nodes = model.nodes.map((node) => {
    if (node.domain !== '') return node
    const newer = changes
      .filter(({ operators, until }) => opset < until && operators.includes(node.operator))
      .reduce((changed, change) => change.apply(changed, surroundings), node)
    return widenTypes(newer)
  })
  return { ...model, nodes, initializers }
}

/** The attributes by which operators name the type of a result, or of what they compute it in. */
const typeNames: readonly string[] = ['to', 'dtype', 'output_datatype', 'stash_type']

/** Where a node names half precision, it gets single precision instead. */
const widenTypes = (node: Node): Node => ({
  ...node,
  attributes: new Map(
    [...node.attributes].map(([name, value]) => {
      const half = typeNames.includes(name) && (value === float16 || value === bfloat16)
      return [name, half ? 1 : value]
    }),
  ),
})
