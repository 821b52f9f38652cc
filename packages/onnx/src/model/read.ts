import { fromBinary } from '@bufbuild/protobuf'
import { readAttribute } from './attribute.ts'
import { typeOf } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Dimension, Model, Node, ValueInfo } from './model.ts'
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from './onnx_pb.ts'
import { newestOpset, oldestOpset, upgradeOpset } from './opset-upgrades.ts'
import { type ExternalData, noExternalData, readTensor } from './tensor.ts'
import { topologicalSort } from './topological-sort.ts'

/**
 * Reads an ONNX file of opset 13 to 21 and upgrades it to opset 21. Half precision becomes float32.
 *
 * @param external - returns the files of external weights, by name.
 * @throws {OnnxError} If the bytes are not a model, or the model has functions, subgraphs, cycles, or
 *   values that nothing computes.
 */
export function readModel(bytes: Uint8Array, external: ExternalData = noExternalData): Model {
  const message = parse(bytes)
  const { graph } = message
  if (graph === undefined) throw new OnnxError('model: must have a graph, but has none')
  rejectUnsupported(message, graph)
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
    nodes: topologicalSort(nodes, [...initializers.keys(), ...inputs.map(({ name }) => name)]),
    initializers,
    values: new Map(graph.valueInfo.map((value) => [value.name, readValueInfo(value)])),
    domains,
    metadata: new Map(message.metadataProps.map(({ key, value }) => [key, value])),
    message,
  }
  rejectMissingOutputs(model)
  return withOrigin(upgradeOpset(model, opset))
}

/** Remembers a model that was just read. */
function withOrigin(model: Model): Model {
  const { inputs, outputs, nodes, values, domains, initializers } = model
  const names = new Set(initializers.keys())
  return { ...model, origin: { inputs, outputs, nodes, values, domains, initializers: names } }
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw new OnnxError(`model: ${bytes.length} bytes are not an ONNX file, or a truncated one`, {
      cause,
    })
  }
}

function rejectUnsupported({ functions }: ModelProto, graph: GraphProto): void {
  if (functions.length > 0)
    throw new OnnxError(`model: has ${functions.length} functions; they are not supported`)
  if (graph.sparseInitializer.length > 0)
    throw new OnnxError('model: has sparse initializers; they are not supported')
}

function rejectMissingOutputs({ nodes, inputs, outputs, initializers }: Model): void {
  const computed = new Set([
    ...initializers.keys(),
    ...inputs.map(({ name }) => name),
    ...nodes.flatMap((node) => node.outputs),
  ])
  for (const { name } of outputs)
    if (!computed.has(name)) throw new OnnxError(`model: no node computes its output "${name}"`)
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
    // An unnamed dimension gets a name of its own: it equals no other.
    return value.case === 'dimValue' ? Number(value.value) : `${name}[${axis}]`
  })
  return { name, type: typeOf(tensor?.elemType ?? 0), shape, message }
}
