import { allNodes, mapBranches } from './branches.ts'
import { bfloat16, elements, float16 } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Attribute, Model, Node, Tensor } from './model.ts'
import { freshNames } from './node.ts'

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

/** What an upgrade may ask of the model around its node. */
interface UpgradeContext {
  /** Adds an initializer to the model and returns its name. */
  addInitializer(name: string, tensor: Tensor): string
  /** Returns a name that no value of the model has. */
  freshName(name: string): string
  /** Whether a node or a model output reads a value. */
  isRead(name: string): boolean
  /** The number of axes of a value, if the file declares its shape. */
  rankOf(name: string): number | undefined
  /** The elements of an initializer or constant. */
  constant(name: string): Tensor | undefined
}

/** Rewrites nodes whose form before an operator set is invalid there, or has another meaning. */
interface OpsetUpgrade {
  readonly operators: readonly string[]
  /** The operator set that introduced the new form. */
  readonly opset: number
  apply(node: Node, context: UpgradeContext): Node | readonly Node[]
}

/** A node that computes `outputs` from `inputs`, for an upgrade that needs several. */
const newNode = (
  { freshName }: UpgradeContext,
  of: Node,
  { operator, inputs, outputs, attributes = {} }: NewNode,
): Node => ({
  operator,
  domain: '',
  name: freshName(`${of.name || of.outputs[0]}/${operator}`),
  inputs,
  outputs,
  attributes: new Map(Object.entries(attributes)),
})

interface NewNode extends Pick<Node, 'operator' | 'inputs' | 'outputs'> {
  readonly attributes?: Readonly<Record<string, Attribute>>
}

/** Makes inputs of attributes, after the first input. Absent ones become absent inputs. */
function attributesToInputs(
  node: Node,
  { addInitializer }: UpgradeContext,
  names: readonly string[],
): Node {
  const [first = ''] = node.inputs
  const inputs = names.map((name) => {
    const value = node.attributes.get(name)
    const tensor = value === undefined ? undefined : tensorOf(value)
    return tensor ? addInitializer(`${node.outputs[0]}/${name}`, tensor) : ''
  })
  const last = inputs.findLastIndex((name) => name !== '')
  const without = names.reduce(withoutAttribute, node)
  return { ...without, inputs: [first, ...inputs.slice(0, last + 1)] }
}

/** A number as a scalar, and a list as a vector. */
function tensorOf(value: Attribute): Tensor | undefined {
  if (typeof value === 'number')
    return { type: 'int64', shape: [], data: elements('int64', [value]) }
  if (typeof value === 'string' || 'tensor' in value || 'message' in value || 'strings' in value)
    return undefined
  if ('float' in value)
    return { type: 'float32', shape: [], data: elements('float32', [value.float]) }
  const isFloats = 'floats' in value
  const list: readonly number[] = isFloats ? value.floats : value
  const type = isFloats ? 'float32' : 'int64'
  return { type, shape: [list.length], data: elements(type, list) }
}

/** Softmax and its like were over all axes from `axis` on, 1 by default, as one. */
function normalizeFlattened(node: Node, context: UpgradeContext): readonly Node[] {
  const axis = node.attributes.get('axis') ?? 1
  const [x = ''] = node.inputs
  const [y = ''] = node.outputs
  const rank = context.rankOf(x) ?? context.rankOf(y)
  if (axis === -1 || (rank !== undefined && axis === rank - 1))
    return [withAttribute(node, 'axis', -1)]
  const [shape, flat, normalized] = ['shape', 'flat', 'normalized'].map((name) =>
    context.freshName(`${y}/${name}`),
  )
  const attributes = { axis }
  return [
    newNode(context, node, { operator: 'Shape', inputs: [x], outputs: [shape ?? ''] }),
    newNode(context, node, { operator: 'Flatten', inputs: [x], outputs: [flat ?? ''], attributes }),
    withAttribute({ ...node, inputs: [flat ?? ''], outputs: [normalized ?? ''] }, 'axis', -1),
    newNode(context, node, {
      operator: 'Reshape',
      inputs: [normalized ?? '', shape ?? ''],
      outputs: [y],
    }),
  ]
}

/** Upsample, and Resize before opset 11: pixels at multiples of the scale, rounded down where it enlarges. */
function resizeFromCorner(node: Node, context: UpgradeContext): Node {
  const given = node.inputs.length > 1 ? node : attributesToInputs(node, context, ['scales'])
  const [x = '', scales = ''] = given.inputs
  const { data = [] } = context.constant(scales) ?? {}
  const reduces = Array.from<number | bigint>(data).some((scale) => scale < 1)
  const placed = withAttribute(
    { ...given, operator: 'Resize', inputs: [x, '', scales] },
    'coordinate_transformation_mode',
    'asymmetric',
  )
  const interpolated =
    node.attributes.get('mode') === 'linear' || node.attributes.get('mode') === 'bilinear'
  return interpolated
    ? withAttribute(placed, 'mode', 'linear')
    : withAttribute(placed, 'nearest_mode', reduces ? 'ceil' : 'floor')
}

/** @throws {OnnxError} Always: the node's form is of an operator set that has no upgrade. */
function refuseOld(node: Node, opset: number): Node {
  throw new OnnxError(`${describeNode(node)}: must be of opset ${opset} or newer`)
}

/**
 * The second operand was broadcast only on request, from an axis of the first on; a slope of PRelu always
 * from axis 1 on. Later sets align the last axes.
 */
function broadcastFromAxis(node: Node, context: UpgradeContext): Node | readonly Node[] {
  const axis = node.attributes.get('axis') ?? (node.operator === 'PRelu' ? 1 : undefined)
  const plain = withoutAttribute(withoutAttribute(node, 'axis'), 'broadcast')
  if (typeof axis !== 'number') return plain
  const [a = '', b = ''] = node.inputs
  const rank = context.rankOf(a) ?? context.rankOf(node.outputs[0] ?? '')
  const secondRank = context.rankOf(b) ?? context.constant(b)?.shape.length
  if (rank === undefined || secondRank === undefined)
    throw new OnnxError(`${describeNode(node)}: the ranks of its inputs must be declared`)
  const added = rank - (axis < 0 ? axis + rank : axis) - secondRank
  if (added <= 0) return plain
  const aligned = context.freshName(`${node.outputs[0]}/aligned`)
  const axes = Array.from({ length: added }, (_, i) => secondRank + i)
  return [
    newNode(context, node, {
      operator: 'Unsqueeze',
      inputs: [b],
      outputs: [aligned],
      attributes: { axes },
    }),
    { ...plain, inputs: [a, aligned] },
  ]
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

const withAttribute = (node: Node, name: string, value: Attribute): Node => ({
  ...node,
  attributes: new Map([...node.attributes, [name, value]]),
})

const withoutAttribute = (node: Node, name: string): Node => ({
  ...node,
  attributes: new Map([...node.attributes].filter(([key]) => key !== name)),
})

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
