import { create, isMessage, type Message, toBinary } from '@bufbuild/protobuf'
import { writeAttribute } from './attribute.ts'
import { codeOf, type UnsharedBytes } from './data-type.ts'
import { OnnxError } from './error.ts'
import type { Branch, Model, Node, OpaqueTensor, Tensor, ValueInfo } from './model.ts'
import {
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.ts'
import { newestOpset } from './opset-upgrades.ts'
import { type ExternalWriter, patchOriginal, writeShape } from './patch.ts'
import { writeTensor } from './tensor.ts'

/** The IR version that introduced opset 21. */
const irVersion = 10n

/**
 * Writes a model. One that was read and has got other weights comes back as it came: its operator sets,
 * half precision, names and unknown fields stay. A model with other nodes is written as opset 21, IR 10,
 * and keeps the fields that `readModel` did not parse.
 *
 * @param external - receives the files of the weights that lay in such files; by default they lie in the
 *   model.
 * @throws {OnnxError} If a weight in half precision has left its range.
 */
export function writeModel(model: Model, external?: ExternalWriter): UnsharedBytes {
  const original = isMessage(model.message, ModelProtoSchema) ? model.message : undefined
  const message = patchOriginal(model) ?? writeWhole(model, original)
  const { graph } = message
  const metadataProps = model.metadata
    ? [...model.metadata].map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value }),
      )
    : message.metadataProps
  const initializer =
    external && graph && original?.graph
      ? moveOut(graph.initializer, original.graph.initializer, external)
      : graph?.initializer
  return toBinary(ModelProtoSchema, {
    ...message,
    metadataProps,
    ...(graph && initializer && { graph: { ...graph, initializer } }),
  })
}

/** The file, and the place in it, in which external weights lay. */
interface ExternalPlace {
  readonly location: string
  readonly offset: number
}

function placeOf({ dataLocation, externalData }: TensorProto): ExternalPlace | undefined {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location')
  return dataLocation === 1 && location !== undefined
    ? { location, offset: Number(entries.get('offset') ?? 0) }
    : undefined
}

/** Files are aligned so that a runtime can map the weights of their types into its memory. */
const alignment = 64

/** Moves the bytes of weights into the files in which they lay, at their offsets if they still fit. */
function moveOut(
  tensors: readonly TensorProto[],
  originals: readonly TensorProto[],
  external: ExternalWriter,
): TensorProto[] {
  const places = new Map(originals.map((tensor) => [tensor.name, placeOf(tensor)]))
  const moved = new Map<TensorProto, TensorProto>()
  const located = tensors.flatMap((tensor) => {
    const place = places.get(tensor.name)
    return place ? [{ tensor, ...place }] : []
  })
  for (const location of new Set(located.map((one) => one.location))) {
    const sorted = located
      .filter((one) => one.location === location)
      .toSorted((a, b) => a.offset - b.offset)
    let end = 0
    const placed = sorted.map(({ tensor, offset }) => {
      const start = offset >= end ? offset : Math.ceil(end / alignment) * alignment
      end = start + tensor.rawData.length
      return { tensor, start }
    })
    const bytes = new Uint8Array(end)
    for (const { tensor, start } of placed) {
      bytes.set(tensor.rawData, start)
      const entries = { location, offset: start, length: tensor.rawData.length }
      const externalData = Object.entries(entries).map(([key, value]) =>
        create(StringStringEntryProtoSchema, { key, value: String(value) }),
      )
      const { name, dims, dataType } = tensor
      const message = create(TensorProtoSchema, {
        name,
        dims,
        dataType,
        dataLocation: 1,
        externalData,
      })
      moved.set(tensor, keepUnknown(message, tensor))
    }
    external(location, bytes)
  }
  return tensors.map((tensor) => moved.get(tensor) ?? tensor)
}

/** Every part of a model, in the newest operator set. */
function writeWhole(model: Model, original: ModelProto | undefined): ModelProto {
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
  return keepUnknown(message, original)
}

function writeNode(node: Node): NodeProto {
  const message = create(NodeProtoSchema, {
    opType: node.operator,
    domain: node.domain,
    name: node.name,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: [
      ...[...node.attributes].map(([name, value]) => writeAttribute(name, value)),
      ...(node.branches
        ? [
            writeBranch('then_branch', node.branches.then),
            writeBranch('else_branch', node.branches.otherwise),
          ]
        : []),
    ],
  })
  return keepUnknown(message, node.message)
}

/** A branch as an attribute of type graph. */
function writeBranch(name: string, { nodes, outputs }: Branch): AttributeProto {
  const graph = create(GraphProtoSchema, {
    name,
    node: nodes.map(writeNode),
    output: outputs.map((output) => ({ name: output })),
  })
  return create(AttributeProtoSchema, { name, type: 5, g: toBinary(GraphProtoSchema, graph) })
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
  const dimensions = shape && { shape: writeShape(shape) }
  const written = create(ValueInfoProtoSchema, {
    name,
    type: { tensorType: { elemType: codeOf(type), ...dimensions } },
  })
  return keepUnknown(written, message)
}

/** Copies the fields that onnx.proto does not declare from the message that was read. */
function keepUnknown<T extends Message>(message: T, original: Message | undefined): T {
  if (original?.$unknown) message.$unknown = original.$unknown
  return message
}
