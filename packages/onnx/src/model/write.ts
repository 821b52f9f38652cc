import { create, type Message, toBinary } from '@bufbuild/protobuf'
import { writeAttribute } from './attribute.ts'
import { codeOf } from './data-type.ts'
import type { Dimension, Model, Node, OpaqueTensor, Tensor, ValueInfo } from './model.ts'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.ts'
import { writeTensor } from './tensor.ts'
import { newestOpset } from './upgrade.ts'

/** The revision of the format that opset 21 came with. */
const irVersion = 10n

/** Writes a model as opset 21, IR 10, with its weights inside. What reading did not understand is kept. */
export function writeModel(model: Model): Uint8Array<ArrayBuffer> {
  const sources = new Map(model.message?.graph?.initializer.map((tensor) => [tensor.name, tensor]))
  const graph = create(GraphProtoSchema, {
    name: model.name,
    node: model.nodes.map(writeNode),
    initializer: [...model.initializers].map(([name, tensor]) =>
      keepUnknown(writeInitializer(name, tensor), sources.get(name)),
    ),
    input: model.inputs.map(writeValueInfo),
    output: model.outputs.map(writeValueInfo),
    valueInfo: [...model.values.values()].map(writeValueInfo),
  })
  const opsets = new Map([['', newestOpset], ...model.domains])
  const message = create(ModelProtoSchema, {
    irVersion,
    producerName: model.message?.producerName ?? 'diffgrad',
    producerVersion: model.message?.producerVersion ?? '',
    graph: keepUnknown(graph, model.message?.graph),
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
  })
  return toBinary(ModelProtoSchema, keepUnknown(message, model.message))
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

const writeInitializer = (name: string, tensor: Tensor | OpaqueTensor): TensorProto =>
  tensor.type === 'opaque' ? tensor.message : writeTensor(name, tensor)

function writeValueInfo({ name, type, shape, message }: ValueInfo): ValueInfoProto {
  if (type === undefined) return message ?? create(ValueInfoProtoSchema, { name })
  const dimensions = shape && { shape: { dim: shape.map(writeDimension) } }
  const written = create(ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: codeOf(type), ...dimensions } },
  })
  return keepUnknown(written, message)
}

const writeDimension = (size: Dimension): TensorShapeProto_Dimension =>
  create(TensorShapeProto_DimensionSchema, {
    value:
      typeof size === 'number'
        ? { case: 'dimValue', value: BigInt(size) }
        : { case: 'dimParam', value: size },
  })

/** Gives a message the fields of its source that our schema does not name. */
function keepUnknown<T extends Message>(message: T, source: T | undefined): T {
  if (source?.$unknown) message.$unknown = source.$unknown
  return message
}
