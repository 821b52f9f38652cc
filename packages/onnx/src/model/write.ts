import { create, isMessage, type Message, toBinary } from '@bufbuild/protobuf'
import { writeAttribute } from './attribute.ts'
import { codeOf, type UnsharedBytes } from './data-type.ts'
import { OnnxError } from './error.ts'
import type { Dimension, Model, Node, OpaqueTensor, Tensor, ValueInfo } from './model.ts'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.ts'
import { newestOpset } from './opset-upgrades.ts'
import { writeTensor } from './tensor.ts'

/** The IR version that introduced opset 21. */
const irVersion = 10n

/** Writes a model as opset 21, IR 10, weights included. Fields that `readModel` did not parse are kept. */
export function writeModel(model: Model): UnsharedBytes {
  const original = isMessage(model.message, ModelProtoSchema) ? model.message : undefined
  const originals = new Map(original?.graph?.initializer.map((tensor) => [tensor.name, tensor]))
  const graph = create(GraphProtoSchema, {
    name: model.name,
    node: model.nodes.map(writeNode),
    initializer: [...model.initializers].map(([name, tensor]) =>
      keepUnknown(writeInitializer(name, tensor), originals.get(name)),
    ),
    input: model.inputs.map(writeValueInfo),
    output: model.outputs.map(writeValueInfo),
    valueInfo: [...model.values.values()].map(writeValueInfo),
  })
  const opsets = new Map([['', newestOpset], ...model.domains])
  const message = create(ModelProtoSchema, {
    irVersion,
    producerName: original?.producerName ?? 'diffgrad',
    producerVersion: original?.producerVersion ?? '',
    graph: keepUnknown(graph, original?.graph),
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
  })
  return toBinary(ModelProtoSchema, keepUnknown(message, original))
}

function writeNode(node: Node): NodeProto {
  const message = create(NodeProtoSchema, {
    opType: node.operator,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [...node.attributes].map(([name, value]) => writeAttribute(name, value)),
  })
  return keepUnknown(message, node.message)
}

function writeInitializer(name: string, tensor: Tensor | OpaqueTensor): TensorProto {
  if (tensor.type !== 'opaque') return writeTensor(name, tensor)
  if (isMessage(tensor.message, TensorProtoSchema)) return tensor.message
  throw new OnnxError(
    `tensor "${name}": an opaque tensor must have the message that it was read from`,
  )
}

function writeValueInfo({ name, type, shape, message }: ValueInfo): ValueInfoProto {
  if (type === undefined)
    return isMessage(message, ValueInfoProtoSchema)
      ? message
      : create(ValueInfoProtoSchema, { name })
  const dimensions = shape && { shape: { dim: shape.map(writeDimension) } }
  const written = create(ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: codeOf(type), ...dimensions } },
  })
  return keepUnknown(written, message)
}

const writeDimension = (size: Dimension): TensorShapeProto_Dimension => {
  if (typeof size === 'number' && !Number.isSafeInteger(size))
    throw new OnnxError(`model: a dimension must be an integer or a name, but is ${size}`)
  return create(TensorShapeProto_DimensionSchema, {
    value:
      typeof size === 'number'
        ? { case: 'dimValue', value: BigInt(size) }
        : { case: 'dimParam', value: size },
  })
}

/** Copies the fields that onnx.proto does not declare from the message that was read. */
function keepUnknown<T extends Message>(message: T, original: Message | undefined): T {
  if (original?.$unknown) message.$unknown = original.$unknown
  return message
}
