import { clone, create, isMessage, type Message } from '@bufbuild/protobuf'
import type { UnsharedBytes } from './data-type.ts'
import { OnnxError } from './error.ts'
import type { Dimension, Model, Node, OpaqueTensor, Shape, Tensor, ValueInfo } from './model.ts'
import {
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type TensorShapeProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.ts'
import { updateTensor, writeTensor } from './tensor.ts'

/** Receives the contents of a file of external weights, under the name that the model stores for it. */
export type ExternalWriter = (location: string, bytes: UnsharedBytes) => void

/**
 * Puts what has changed of a model since it was read into the message that it was read from: elements of
 * initializers, declared types of inputs and outputs, and attributes, inputs or outputs that a node has
 * lost. All else stays: operator sets, types, names and unknown fields.
 *
 * @returns undefined if the model was not read from a file, or more has changed.
 */
export function patchOriginal(model: Model): ModelProto | undefined {
  const { message, origin } = model
  if (!origin || !isMessage(message, ModelProtoSchema) || !message.graph) return undefined
  if (`${[...model.domains]}` !== `${[...origin.domains]}`) return undefined
  if (!hasOnly(origin.inputs, model.inputs) || !hasOnly(origin.outputs, model.outputs))
    return undefined
  const nodes = patchNodes(message.graph.node, origin.nodes, model.nodes)
  const weights = nodes && patchInitializers(message.graph, nodes, model, origin.initializers)
  if (!weights) return undefined
  const { input, output, valueInfo } = message.graph
  const graph = {
    ...message.graph,
    ...weights,
    ...(model.name !== message.graph.name && { name: model.name }),
    input: patchValues(input, origin.inputs, model.inputs, (name) => origin.initializers.has(name)),
    output: patchValues(output, origin.outputs, model.outputs),
    valueInfo: patchValues(valueInfo, origin.values.values(), model.values.values()),
  }
  return { ...message, graph }
}

/** The messages of nodes that are as they were, or have only lost something; undefined if others are. */
function patchNodes(
  messages: readonly NodeProto[],
  before: readonly Node[],
  after: readonly Node[],
): NodeProto[] | undefined {
  if (before.length !== after.length) return undefined
  const changed = new Map<Message, NodeProto>()
  for (const [i, node] of after.entries()) {
    const old = before[i]
    if (!old || old === node) continue
    const message = isMessage(old.message, NodeProtoSchema) ? old.message : undefined
    const patched = shortened(old, node, message)
    if (!patched) return undefined
    if (message && patched !== 'unchanged') changed.set(message, patched)
  }
  const patched = messages.map((message) => changed.get(message) ?? message)
  // A node of a function has no message in the graph.
  return [...changed.keys()].every((message) => messages.some((other) => other === message))
    ? patched
    : undefined
}

/** The message of a node that has lost attributes, inputs or outputs at the end; undefined if it gained any. */
function shortened(
  before: Node,
  after: Node,
  message: NodeProto | undefined,
): NodeProto | 'unchanged' | undefined {
  const same = (['operator', 'domain', 'name'] as const).every((key) => before[key] === after[key])
  const isStart = (key: 'inputs' | 'outputs'): boolean =>
    after[key].every((name, i) => name === before[key][i])
  const kept = [...after.attributes].every(([name, value]) => before.attributes.get(name) === value)
  if (before.branches !== after.branches) return undefined
  if (!same || !isStart('inputs') || !isStart('outputs') || !kept) return undefined
  const lost = [...before.attributes.keys()].filter((name) => !after.attributes.has(name))
  const fewer = (key: 'inputs' | 'outputs'): boolean => after[key].length < before[key].length
  if (lost.length === 0 && !fewer('inputs') && !fewer('outputs')) return 'unchanged'
  if (!message) return undefined
  const patched = clone(NodeProtoSchema, message)
  if (fewer('inputs')) patched.input = patched.input.slice(0, after.inputs.length)
  if (fewer('outputs')) patched.output = patched.output.slice(0, after.outputs.length)
  patched.attribute = patched.attribute.filter(({ name }) => !lost.includes(name))
  return patched
}

/**
 * Initializers, and nodes with other constants: weights may be outputs of Constant nodes. Undefined if an
 * initializer that reading has added is another one now.
 */
function patchInitializers(
  { initializer }: GraphProto,
  nodes: readonly NodeProto[],
  model: Model,
  read: NonNullable<Model['origin']>['initializers'],
): Pick<GraphProto, 'initializer' | 'node'> | undefined {
  const rest = new Map(model.initializers)
  const take = (name: string): Tensor | OpaqueTensor | undefined => {
    const tensor = rest.get(name)
    rest.delete(name)
    return tensor
  }
  const patched = initializer
    .filter(({ name }) => model.initializers.has(name) || !read.has(name))
    .map((message) => {
      const tensor = take(message.name)
      if (tensor?.type !== 'opaque') return tensor ? updateTensor(message, tensor) : message
      return isMessage(tensor.message, TensorProtoSchema) ? tensor.message : message
    })
  const constants = nodes.map((node) => {
    const tensor = node.opType === 'Constant' ? take(node.output[0] ?? '') : undefined
    return tensor && tensor.type !== 'opaque' ? patchConstant(node, tensor) : node
  })
  // The nodes of the file do not read what reading has added.
  if ([...rest].some(([name, tensor]) => read.has(name) && read.get(name) !== tensor))
    return undefined
  const written = [...rest].flatMap(([name, tensor]): TensorProto[] =>
    read.has(name) || tensor.type === 'opaque' ? [] : [writeTensor(name, tensor)],
  )
  return { initializer: [...patched, ...written], node: constants }
}

/** A Constant with the elements of a tensor: the same message if it holds them. */
function patchConstant(node: NodeProto, tensor: Tensor): NodeProto {
  const value = node.attribute.find(({ name }) => name === 'value')
  const updated = value?.t && updateTensor(value.t, tensor)
  if (updated && updated === value.t) return node
  const attribute = create(AttributeProtoSchema, {
    name: 'value',
    type: 4,
    t: updated ?? writeTensor('', tensor),
  })
  return { ...node, attribute: [attribute] }
}

/**
 * Declared values with other shapes. A value that is the same object as it was keeps its message.
 *
 * @param isKept - whether the message of a value that the model lacks stays.
 */
function patchValues(
  messages: readonly ValueInfoProto[],
  before: Iterable<ValueInfo>,
  after: Iterable<ValueInfo>,
  isKept: (name: string) => boolean = () => false,
): ValueInfoProto[] {
  const old = new Set(before)
  const now = new Map([...after].map((value) => [value.name, value]))
  return messages.flatMap((message) => {
    const value = now.get(message.name)
    if (!value) return isKept(message.name) ? [message] : []
    if (old.has(value) || !value.shape) return [message]
    const patched = clone(ValueInfoProtoSchema, message)
    if (patched.type?.tensorType) patched.type.tensorType.shape = writeShape(value.shape)
    return [patched]
  })
}

/** Whether every value is one of those before, of the same type. */
const hasOnly = (before: readonly ValueInfo[], after: readonly ValueInfo[]): boolean =>
  after.every(({ name, type }) =>
    before.some((value) => value.name === name && value.type === type),
  )

/** A shape as a message. */
export const writeShape = (shape: Shape): TensorShapeProto =>
  create(TensorShapeProtoSchema, { dim: shape.map(writeDimension) })

function writeDimension(size: Dimension): TensorShapeProto_Dimension {
  if (typeof size === 'number' && !Number.isSafeInteger(size))
    throw new OnnxError(`model: a dimension must be an integer or a name, but is ${size}`)
  return create(TensorShapeProto_DimensionSchema, {
    value:
      typeof size === 'number'
        ? { case: 'dimValue', value: BigInt(size) }
        : { case: 'dimParam', value: size },
  })
}
