import { create, isMessage, type Message, toBinary } from '@bufbuild/protobuf'
import { OnnxError } from '../error.ts'
import { writeAttribute } from './attribute.ts'
import { codeOf } from './data-type.ts'
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
import { writeTensor } from './tensor.ts'
import { newestOpset } from './upgrade.ts'

/** The revision of the format that opset 21 came with. */
const irVersion = 10n

/** Writes a model as opset 21, IR 10, with its weights inside. What reading did not understand is kept. */
export function writeModel(model: Model): Uint8Array<ArrayBuffer> {
  const source = isMessage(model.message, ModelProtoSchema) ? model.message : undefined
  const sources = new Map(source?.graph?.initializer.map((tensor) => [tensor.name, tensor]))
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
    producerName: source?.producerName ?? 'diffgrad',
    producerVersion: source?.producerVersion ?? '',
    graph: keepUnknown(graph, source?.graph),
    opsetImport: [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) })),
  })
  return toBinary(ModelProtoSchema, keepUnknown(message, source))
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
  throw new OnnxError(`tensor "${name}": an opaque tensor must be one that was read`)
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

const writeDimension = (size: Dimension): TensorShapeProto_Dimension =>
  create(TensorShapeProto_DimensionSchema, {
    value:
      typeof size === 'number'
        ? { case: 'dimValue', value: BigInt(size) }
        : { case: 'dimParam', value: size },
  })

/** Gives a message the fields of its source that our schema does not name. */
function keepUnknown<T extends Message>(message: T, source: Message | undefined): T {
  if (source?.$unknown) message.$unknown = source.$unknown
  return message
}
