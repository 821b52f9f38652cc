import { bfloat16, elements, float16 } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Attribute, Model, Node, Tensor } from './model.ts'

/** The operator sets that `readModel` accepts. Models are kept and written in the newest. */
export const oldestOpset: number = 13
export const newestOpset: number = 21

/** What an upgrade may ask of the model around its node. */
interface UpgradeContext {
  /** Adds an initializer to the model and returns its name. */
  addInitializer(name: string, tensor: Tensor): string
  /** Returns a name that no value of the model has. */
  freshName(name: string): string
  /** Whether a node or a model output reads a value. */
  isRead(name: string): boolean
}

/** Rewrites nodes whose form before an operator set is invalid there, or has another meaning. */
interface OpsetUpgrade {
  readonly operators: readonly string[]
  /** The operator set that introduced the new form. */
  readonly opset: number
  apply(node: Node, context: UpgradeContext): Node | readonly Node[]
}

/**
 * All upgrades from opset 13 to 21. Other changes of these operator sets only add types, attributes
 * and inputs whose absence keeps the old behaviour.
 *
 * @see https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 */
const upgrades: readonly OpsetUpgrade[] = [
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
    apply(node, { addInitializer, freshName }) {
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
      ): Node => ({
        operator,
        domain: '',
        name: freshName(`${node.name || outputs[0]}/${operator}`),
        inputs: inputs.map((name) => name ?? ''),
        outputs: [output ?? ''],
        attributes: new Map(),
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
  const taken = new Set([
    ...initializers.keys(),
    ...model.inputs.map(({ name }) => name),
    ...model.nodes.flatMap(({ outputs }) => outputs),
  ])
  const read = new Set([
    ...model.outputs.map(({ name }) => name),
    ...model.nodes.flatMap(({ inputs }) => inputs),
  ])
  const freshName = (name: string): string => {
    let free = name
    while (taken.has(free)) free += '_'
    taken.add(free)
    return free
  }
  const context: UpgradeContext = {
    addInitializer(name, tensor) {
      const free = freshName(name)
      initializers.set(free, tensor)
      return free
    },
    freshName,
    isRead: (name) => name !== '' && read.has(name),
  }
  const nodes = model.nodes.flatMap((node) => {
    if (node.domain !== '') return node
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
  })
  return { ...model, nodes, initializers }
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
