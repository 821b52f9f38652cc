import { OnnxError } from '../error.ts'
import { bfloat16, elements, float16 } from './data-type.ts'
import type { Attribute, Model, Node, Tensor } from './model.ts'
import { describe } from './order.ts'

/** The operator sets that can be read; the newest is the one that models are kept in and written as. */
export const oldestOpset: number = 13
export const newestOpset: number = 21

/** Brings a model of an older operator set up to the newest: only what changed its meaning or its form. */
export function upgrade(model: Model, opset: number): Model {
  const initializers = new Map(model.initializers)
  const input = (name: string, tensor: Tensor): string => {
    let free = name
    while (initializers.has(free)) free += '_'
    initializers.set(free, tensor)
    return free
  }
  const nodes = model.nodes.map((node) => {
    if (node.domain !== '') return node
    const newer = changes
      .filter(({ operators, until }) => opset < until && operators.includes(node.operator))
      .reduce((changed, change) => change.apply(changed, input), node)
    return widenTypes(newer)
  })
  return { ...model, nodes, initializers }
}

interface Change {
  readonly operators: readonly string[]
  /** The operator set that brought the new form. */
  readonly until: number
  /** @param input Adds an initializer to the model, and gives its name. */
  apply(node: Node, input: (name: string, tensor: Tensor) => string): Node
}

const changes: readonly Change[] = [
  {
    // The axes became an input.
    operators: [
      ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2'],
      ...['ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare'],
    ],
    until: 18,
    apply(node, input) {
      const axes = node.attributes.get('axes')
      if (!Array.isArray(axes)) return node
      const tensor = { type: 'int64', shape: [axes.length], data: elements('int64', axes) } as const
      return {
        ...node,
        inputs: [node.inputs[0] ?? '', input(`${node.outputs[0]}/axes`, tensor)],
        attributes: without(node.attributes, 'axes'),
      }
    },
  },
  {
    // Equal parts must be counted.
    operators: ['Split'],
    until: 18,
    apply: (node) =>
      node.inputs[1]
        ? node
        : {
            ...node,
            attributes: new Map([...node.attributes, ['num_outputs', node.outputs.length]]),
          },
  },
  {
    // Training was told by the number of outputs, of which two were saved for the gradient.
    operators: ['BatchNormalization'],
    until: 14,
    apply: (node) =>
      node.outputs.length < 2
        ? node
        : {
            ...node,
            outputs: node.outputs.slice(0, 3),
            attributes: new Map([...node.attributes, ['training_mode', 1]]),
          },
  },
  {
    operators: ['GroupNormalization'],
    until: 21,
    apply(node) {
      throw new OnnxError(
        `${describe(node)}: must be of opset 21, where scale and bias are given for each channel`,
      )
    },
  },
]

/** Where a node names half precision as its result, it gives single precision instead. */
function widenTypes(node: Node): Node {
  const named = node.operator === 'Cast' ? 'to' : 'dtype'
  const code = node.attributes.get(named)
  if (code !== float16 && code !== bfloat16) return node
  return { ...node, attributes: new Map([...node.attributes, [named, 1]]) }
}

function without(
  attributes: ReadonlyMap<string, Attribute>,
  name: string,
): ReadonlyMap<string, Attribute> {
  return new Map([...attributes].filter(([key]) => key !== name))
}
