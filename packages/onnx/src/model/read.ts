import { fromBinary } from '@bufbuild/protobuf'
import { OnnxError } from '../error.ts'
import { readAttribute } from './attribute.ts'
import { typeOf } from './data-type.ts'
import { type ExternalData, noExternalData } from './external-data.ts'
import type { Dimension, Model, Node, ValueInfo } from './model.ts'
import { describeNode } from './node.ts'
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from './onnx_pb.ts'
import { inOrder } from './order.ts'
import { readTensor } from './tensor.ts'
import { newestOpset, oldestOpset, upgrade } from './upgrade.ts'

/**
 * Reads an ONNX file of opset 13 to 21, and brings it up to opset 21. Half precision is widened.
 * @param external Gives the files that hold the weights, where they are not in `bytes`.
 * @throws {OnnxError} When the bytes are no model, or one with functions, subgraphs, cycles or gaps.
 */
export function readModel(bytes: Uint8Array, external: ExternalData = noExternalData): Model {
  const message = parse(bytes)
  const { graph } = message
  if (graph === undefined) throw new OnnxError('model: must have a graph, but has none')
  refuseFeatures(message, graph)
  const domains = new Map(
    message.opsetImport.map(({ domain, version }) => [domain, Number(version)]),
  )
  const opset = domains.get('') ?? domains.get('ai.onnx')
  if (opset === undefined) throw new OnnxError('model: must import the standard operators')
  if (opset < oldestOpset || opset > newestOpset)
    throw new OnnxError(`model: opset must be in [${oldestOpset}, ${newestOpset}], but is ${opset}`)
  domains.delete('')
  domains.delete('ai.onnx')
  const initializers = new Map(
    graph.initializer.map((tensor) => [tensor.name, readTensor(tensor, external)]),
  )
  const inputs = graph.input.map(readValueInfo).filter(({ name }) => !initializers.has(name))
  const nodes = graph.node.map(readNode)
  const model = {
    name: graph.name,
    inputs,
    outputs: graph.output.map(readValueInfo),
    nodes: inOrder(nodes, [...initializers.keys(), ...inputs.map(({ name }) => name)]),
    initializers,
    values: new Map(graph.valueInfo.map((value) => [value.name, readValueInfo(value)])),
    domains,
    message,
  }
  refuseMissingOutputs(model)
  return upgrade(model, opset)
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw new OnnxError(`model: ${bytes.length} bytes are not an ONNX file, or not a whole one`, {
      cause,
    })
  }
}

function refuseFeatures({ functions }: ModelProto, graph: GraphProto): void {
  if (functions.length > 0)
    throw new OnnxError(`model: has ${functions.length} functions; they are not supported`)
  if (graph.sparseInitializer.length > 0)
    throw new OnnxError('model: has sparse initializers; they are not supported')
}

function refuseMissingOutputs({ nodes, inputs, outputs, initializers }: Model): void {
  const made = new Set([
    ...initializers.keys(),
    ...inputs.map(({ name }) => name),
    ...nodes.flatMap((node) => node.outputs),
  ])
  for (const { name } of outputs)
    if (!made.has(name)) throw new OnnxError(`model: nothing makes its output "${name}"`)
}

function readNode(message: NodeProto): Node {
  const node = {
    operator: message.opType,
    domain: message.domain === 'ai.onnx' ? '' : message.domain,
    name: message.name,
    inputs: message.input,
    outputs: message.output,
    message,
  }
  const attributes = message.attribute.map(
    (attribute) => [attribute.name, readAttribute(attribute, describeNode(node))] as const,
  )
  return { ...node, attributes: new Map(attributes) }
}

function readValueInfo(message: ValueInfoProto): ValueInfo {
  const { name } = message
  const tensor = message.type?.tensorType
  const shape = tensor?.shape?.dim.map(({ value }, axis): Dimension => {
    if (value.case === 'dimParam') return value.value
    // An axis that the file leaves open is named for its place: no other is known to equal it.
    return value.case === 'dimValue' ? Number(value.value) : `${name}[${axis}]`
  })
  return { name, type: typeOf(tensor?.elemType ?? 0), shape, message }
}
