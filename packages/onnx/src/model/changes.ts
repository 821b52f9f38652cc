import { OnnxError } from '../error.ts'
import { elements } from './data-type.ts'
import type { Attribute, Node, Tensor } from './model.ts'
import { describeNode } from './node.ts'

/** What a change may ask of the model around its node. */
export interface Surroundings {
  /** Adds an initializer to the model, and gives its name. */
  input(name: string, tensor: Tensor): string
  /** Whether a node, or an output of the model, reads a value. */
  isRead(name: string): boolean
}

/** Operators whose older form is invalid in a newer operator set, or means something else there. */
interface Change {
  readonly operators: readonly string[]
  /** The operator set that brought the new form. */
  readonly until: number
  apply(node: Node, surroundings: Surroundings): Node
}

/**
 * All such changes of opset 14 to 21. Their others only allow more: types, and attributes and inputs
 * without which an operator does what it did.
 *
 * @see https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
export const changes: readonly Change[] = [
  {
    // Training was told by the number of outputs, of which two were saved for the gradient.
    operators: ['BatchNormalization'],
    until: 14,
    apply(node, { isRead }) {
      if (node.outputs.length < 2) return node
      const saved = node.outputs.slice(3).find(isRead)
      if (saved !== undefined)
        throw new OnnxError(
          `${describeNode(node)}: its saved statistics, which opset 14 gave up, must not be read, but "${saved}" is`,
        )
      return withAttribute({ ...node, outputs: node.outputs.slice(0, 3) }, 'training_mode', 1)
    },
  },
  {
    // Regions were not moved by half a pixel.
    operators: ['RoiAlign'],
    until: 16,
    apply: (node) => withAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel'),
  },
  {
    // The axes became an input.
    operators: [
      ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2'],
      ...['ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare'],
    ],
    until: 18,
    apply(node, { input }) {
      const axes = node.attributes.get('axes')
      if (!Array.isArray(axes)) return node
      const tensor = { type: 'int64', shape: [axes.length], data: elements('int64', axes) } as const
      const inputs = [node.inputs[0] ?? '', input(`${node.outputs[0]}/axes`, tensor)]
      return { ...without(node, 'axes'), inputs }
    },
  },
  {
    // Equal parts must be counted.
    operators: ['Split'],
    until: 18,
    apply: (node) =>
      node.inputs[1] ? node : withAttribute(node, 'num_outputs', node.outputs.length),
  },
  {
    // The axis became an input, and where it is not given another one.
    operators: ['DFT'],
    until: 20,
    apply(node, { input }) {
      const axis = node.attributes.get('axis') ?? 1
      if (typeof axis !== 'number') return node
      const tensor = { type: 'int64', shape: [], data: elements('int64', [axis]) } as const
      const [signal = '', length = ''] = node.inputs
      const inputs = [signal, length, input(`${node.outputs[0]}/axis`, tensor)]
      return { ...without(node, 'axis'), inputs }
    },
  },
  {
    // Modes are named for any number of axes.
    operators: ['GridSample'],
    until: 20,
    apply(node) {
      const mode = node.attributes.get('mode')
      if (mode === 'bilinear') return withAttribute(node, 'mode', 'linear')
      return mode === 'bicubic' ? withAttribute(node, 'mode', 'cubic') : node
    },
  },
  {
    operators: ['GroupNormalization'],
    until: 21,
    apply(node) {
      throw new OnnxError(
        `${describeNode(node)}: must be of opset 21, where scale and bias are given for each channel`,
      )
    },
  },
]

const withAttribute = (node: Node, name: string, value: Attribute): Node => ({
  ...node,
  attributes: new Map([...node.attributes, [name, value]]),
})

const without = (node: Node, name: string): Node => ({
  ...node,
  attributes: new Map([...node.attributes].filter(([key]) => key !== name)),
})
