import { elements } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Attribute, Node, Tensor } from './model.ts'

/** What an upgrade may ask of the model around its node. */
export interface UpgradeContext {
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

export const withAttribute = (node: Node, name: string, value: Attribute): Node => ({
  ...node,
  attributes: new Map([...node.attributes, [name, value]]),
})

export const withoutAttribute = (node: Node, name: string): Node => ({
  ...node,
  attributes: new Map([...node.attributes].filter(([key]) => key !== name)),
})

/** A node that computes `outputs` from `inputs`, for an upgrade that needs several. */
export const newNode = (
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
export function attributesToInputs(
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
export function normalizeFlattened(node: Node, context: UpgradeContext): readonly Node[] {
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
export function resizeFromCorner(node: Node, context: UpgradeContext): Node {
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
export function refuseOld(node: Node, opset: number): Node {
  throw new OnnxError(`${describeNode(node)}: must be of opset ${opset} or newer`)
}

/**
 * The second operand was broadcast only on request, from an axis of the first on; a slope of PRelu always
 * from axis 1 on. Later sets align the last axes.
 */
export function broadcastFromAxis(node: Node, context: UpgradeContext): Node | readonly Node[] {
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
