import { allNodes, mapBranches } from './branches.ts'
import { bfloat16, elements, float16 } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Model, Node } from './model.ts'
import { freshNames } from './node.ts'
import {
  attributesToInputs,
  broadcastFromAxis,
  newNode,
  normalizeFlattened,
  refuseOld,
  resizeFromCorner,
  type UpgradeContext,
  withAttribute,
  withoutAttribute,
} from './older-forms.ts'

/** The oldest operator set that `readModel` accepts, and the newest that it upgrades to. */
export const oldestOpset: number = 1
export const newestOpset: number = 21

/**
 * Operators that operator sets after the newest have introduced or given another meaning. All others only
 * gained types, so that a newer file is read as one of the newest set.
 */
export const newerOperators: ReadonlySet<string> = new Set([
  ...['Attention', 'BitCast', 'CumProd', 'LinearAttention', 'RMSNormalization', 'RotaryEmbedding'],
  ...['Swish', 'TensorScatter', 'FlexAttention'],
])

/** Rewrites nodes whose form before an operator set is invalid there, or has another meaning. */
interface OpsetUpgrade {
  readonly operators: readonly string[]
  /** The operator set that introduced the new form. */
  readonly opset: number
  apply(node: Node, context: UpgradeContext): Node | readonly Node[]
}

/**
 * All upgrades from opset 1 to 21, the oldest first. Other changes of these operator sets only add types,
 * attributes and inputs whose absence keeps the old behaviour.
 *
 * @see https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
const upgrades: readonly OpsetUpgrade[] = [
  {
    // Their arguments were attributes, inputs or numbers that later sets have elsewhere.
    operators: ['Cast', 'Tile', 'Pad', 'Split', 'LpPool', 'GlobalLpPool'],
    opset: 2,
    apply: (node) => refuseOld(node, 2),
  },
  { operators: ['Cast', 'Tile'], opset: 6, apply: (node) => refuseOld(node, 6) },
  { operators: ['Upsample'], opset: 7, apply: (node) => refuseOld(node, 7) },
  {
    operators: ['Concat'],
    opset: 4,
    apply: (node) => (node.attributes.has('axis') ? node : withAttribute(node, 'axis', 1)),
  },
  {
    operators: ['Reshape'],
    opset: 5,
    apply: (node, context) =>
      node.attributes.has('shape') ? attributesToInputs(node, context, ['shape']) : node,
  },
  {
    operators: [
      ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'And', 'Or', 'Xor', 'Equal', 'Greater', 'Less'],
      ...['PRelu', 'Gemm'],
    ],
    opset: 7,
    apply: broadcastFromAxis,
  },
  {
    operators: ['BatchNormalization', 'Dropout'],
    opset: 7,
    apply(node) {
      const trains = node.operator === 'BatchNormalization' && !node.attributes.get('is_test')
      const plain = withoutAttribute(node, 'is_test')
      return trains ? withAttribute(plain, 'training_mode', 1) : plain
    },
  },
  {
    // Statistics could be per activation.
    operators: ['BatchNormalization'],
    opset: 9,
    apply(node) {
      if ((node.attributes.get('spatial') ?? 1) === 1) return withoutAttribute(node, 'spatial')
      throw new OnnxError(`${describeNode(node)}: spatial must be 1, but is 0`)
    },
  },
  {
    operators: ['Slice'],
    opset: 10,
    apply: (node, context) => attributesToInputs(node, context, ['starts', 'ends', 'axes']),
  },
  {
    operators: ['TopK'],
    opset: 10,
    apply(node, context) {
      const k = node.attributes.get('k')
      const vector = typeof k === 'number' ? withAttribute(node, 'k', [k]) : node
      return attributesToInputs(vector, context, ['k'])
    },
  },
  {
    operators: ['Clip'],
    opset: 11,
    apply: (node, context) => attributesToInputs(node, context, ['min', 'max']),
  },
  {
    operators: ['Pad'],
    opset: 11,
    apply: (node, context) => attributesToInputs(node, context, ['pads', 'value']),
  },
  { operators: ['Upsample', 'Resize'], opset: 11, apply: resizeFromCorner },
  {
    operators: ['Scatter'],
    opset: 11,
    apply: (node) => ({ ...node, operator: 'ScatterElements' }),
  },
  {
    operators: ['Dropout'],
    opset: 12,
    apply: (node, context) => attributesToInputs(node, context, ['ratio']),
  },
  {
    operators: ['Squeeze', 'Unsqueeze', 'ReduceSum'],
    opset: 13,
    apply: (node, context) => attributesToInputs(node, context, ['axes']),
  },
  {
    operators: ['Split'],
    opset: 13,
    apply: (node, context) => attributesToInputs(node, context, ['split']),
  },
  { operators: ['Softmax', 'LogSoftmax', 'Hardmax'], opset: 13, apply: normalizeFlattened },
  {
    // Five outputs meant training mode; two of them were saved statistics for the gradient.
    operators: ['BatchNormalization'],
    opset: 14,
    apply(node, { isRead }) {
      if (node.outputs.length < 2) return node
      const saved = node.outputs.slice(3).find(isRead)
      if (saved !== undefined)
        throw new OnnxError(
          `${describeNode(node)}: its saved statistics, which opset 14 removed, must not be read, but "${saved}" is`,
        )
      return withAttribute({ ...node, outputs: node.outputs.slice(0, 3) }, 'training_mode', 1)
    },
  },
  {
    // Regions were not shifted by half a pixel.
    operators: ['RoiAlign'],
    opset: 16,
    apply: (node) => withAttribute(node, 'coordinate_transformation_mode', 'output_half_pixel'),
  },
  {
    // `axes` became an input.
    operators: [
      ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2'],
      ...['ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare'],
    ],
    opset: 18,
    apply(node, { addInitializer }) {
      const axes = node.attributes.get('axes')
      if (!Array.isArray(axes)) return node
      const tensor = { type: 'int64', shape: [axes.length], data: elements('int64', axes) } as const
      const inputs = [node.inputs[0] ?? '', addInitializer(`${node.outputs[0]}/axes`, tensor)]
      return { ...withoutAttribute(node, 'axes'), inputs }
    },
  },
  {
    // Without split lengths, `num_outputs` became required.
    operators: ['Split'],
    opset: 18,
    apply: (node) =>
      node.inputs[1] ? node : withAttribute(node, 'num_outputs', node.outputs.length),
  },
  {
    // `axis` became an input, and its default changed.
    operators: ['DFT'],
    opset: 20,
    apply(node, { addInitializer }) {
      const axis = node.attributes.get('axis') ?? 1
      if (typeof axis !== 'number') return node
      const tensor = { type: 'int64', shape: [], data: elements('int64', [axis]) } as const
      const [signal = '', length = ''] = node.inputs
      const inputs = [signal, length, addInitializer(`${node.outputs[0]}/axis`, tensor)]
      return { ...withoutAttribute(node, 'axis'), inputs }
    },
  },
  {
    // The interpolation modes were renamed for any number of axes.
    operators: ['GridSample'],
    opset: 20,
    apply(node) {
      const mode = node.attributes.get('mode')
      if (mode === 'bilinear') return withAttribute(node, 'mode', 'linear')
      return mode === 'bicubic' ? withAttribute(node, 'mode', 'cubic') : node
    },
  },
  {
    // Scale and bias had one element per group: an InstanceNormalization of the groups.
    operators: ['GroupNormalization'],
    opset: 21,
    apply(node, context) {
      const { addInitializer, freshName } = context
      const { outputs, attributes } = node
      const [x = '', scale = '', bias = ''] = node.inputs
      const groups = attributes.get('num_groups')
      if (typeof groups !== 'number')
        throw new OnnxError(`${describeNode(node)}: must have a number num_groups`)
      const epsilon = attributes.get('epsilon')
      const shape = { type: 'int64', shape: [3], data: elements('int64', [0, groups, -1]) } as const
      const grouped = addInitializer(`${outputs[0]}/groups`, shape)
      const [xShape, split, normalized] = ['shape', 'split', 'normalized'].map((name) =>
        freshName(`${outputs[0]}/${name}`),
      )
      const added = (
        operator: string,
        inputs: readonly (string | undefined)[],
        output: string | undefined,
      ): Node =>
        newNode(context, node, {
          operator,
          inputs: inputs.map((name) => name ?? ''),
          outputs: [output ?? ''],
        })
      return [
        added('Shape', [x], xShape),
        added('Reshape', [x, grouped], split),
        {
          ...added('InstanceNormalization', [split, scale, bias], normalized),
          attributes: new Map(epsilon === undefined ? [] : [['epsilon', epsilon]]),
        },
        added('Reshape', [normalized, xShape], outputs[0]),
      ]
    },
  },
]

/** Upgrades a model of an older operator set to the newest, and half precision to float32. */
export function upgradeOpset(model: Model, opset: number): Model {
  const initializers = new Map(model.initializers)
  const all = allNodes(model.nodes)
  const taken = new Set([
    ...initializers.keys(),
    ...model.inputs.map(({ name }) => name),
    ...all.flatMap(({ outputs }) => outputs),
  ])
  const read = new Set([
    ...model.outputs.map(({ name }) => name),
    ...all.flatMap(({ inputs, branches }) => [
      ...inputs,
      ...(branches?.then.outputs ?? []),
      ...(branches?.otherwise.outputs ?? []),
    ]),
  ])
  const shapes = new Map(
    [...model.inputs, ...model.outputs, ...model.values.values()].map(({ name, shape }) => [
      name,
      shape,
    ]),
  )
  const freshName = freshNames(taken)
  const context: UpgradeContext = {
    addInitializer(name, tensor) {
      const free = freshName(name)
      initializers.set(free, tensor)
      return free
    },
    freshName,
    isRead: (name) => name !== '' && read.has(name),
    rankOf: (name) => shapes.get(name)?.length,
    constant(name) {
      const tensor = initializers.get(name)
      return tensor && tensor.type !== 'opaque' ? tensor : undefined
    },
  }
  const upgradeNode = (given: Node): Node | readonly Node[] => {
    const original = mapBranches(given, (nodes) => nodes.flatMap(upgradeNode))
    if (original.domain !== '') return original
    // A hint for computing in place, which opset 6 removed.
    const node = opset < 6 ? withoutAttribute(original, 'consumed_inputs') : original
    const upgraded = upgrades
      .filter((upgrade) => opset < upgrade.opset)
      .reduce<readonly Node[]>(
        (forms, upgrade) =>
          forms.flatMap((form) =>
            upgrade.operators.includes(form.operator) ? upgrade.apply(form, context) : form,
          ),
        [node],
      )
    return upgraded.map(widenTypes)
  }
  return { ...model, nodes: model.nodes.flatMap(upgradeNode), initializers }
}

/** Attributes that name the data type of an output or of an intermediate result. */
const typeAttributes: readonly string[] = ['to', 'dtype', 'output_datatype', 'stash_type']

/** Replaces half precision by float32 in the type attributes of a node. */
const widenTypes = (node: Node): Node => ({
  ...node,
  attributes: new Map(
    [...node.attributes].map(([name, value]) => {
      const half = typeAttributes.includes(name) && (value === float16 || value === bfloat16)
      return [name, half ? 1 : value]
    }),
  ),
})
