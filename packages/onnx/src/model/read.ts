import { fromBinary } from '@bufbuild/protobuf'
import { readAttribute } from './attribute.ts'
import { allNodes, mapBranches, readWithBranches } from './branches.ts'
import { typeOf } from './data-type.ts'
import { describeNode, OnnxError } from './error.ts'
import { inlineFunctions } from './functions.ts'
import {
  type Dimension,
  isFloat32,
  type Model,
  type Node,
  type OpaqueTensor,
  type Tensor,
  type ValueInfo,
} from './model.ts'
import { freshNames, isOperator } from './node.ts'
import {
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from './onnx_pb.ts'
import { newerOperators, newestOpset, oldestOpset, upgradeOpset } from './opset-upgrades.ts'
import { type ExternalData, noExternalData, readTensor } from './tensor.ts'
import { topologicalSort } from './topological-sort.ts'

/**
 * Reads an ONNX file of any opset and brings it to opset 21. Half precision becomes float32. If no
 * initializer can be a weight, float constants of several elements become initializers: some exporters
 * write weights as constants. Functions of the model are inlined; the branches of an If are read, and one of
 * them takes its place when the sizes of the model are known.
 *
 * @param external - returns the files of external weights, by name.
 * @throws {OnnxError} If the bytes are not a model, or the model has subgraphs other than branches of an
 *   If, cycles, or values that nothing computes.
 */
export function readModel(bytes: Uint8Array, external: ExternalData = noExternalData): Model {
  const message = parse(bytes)
  const { graph } = message
  if (graph === undefined) throw new OnnxError('model: must have a graph, but has none')
  rejectUnsupported(graph)
  const domains = new Map(
    message.opsetImport.map(({ domain, version }) => [domain, Number(version)]),
  )
  const usesStandard = graph.node.some(({ domain }) => domain === '' || domain === 'ai.onnx')
  const opset =
    domains.get('') ?? domains.get('ai.onnx') ?? (usesStandard ? undefined : newestOpset)
  if (opset === undefined) throw new OnnxError('model: must import the standard operators')
  if (opset < oldestOpset)
    throw new OnnxError(`model: opset must be at least ${oldestOpset}, but is ${opset}`)
  domains.delete('')
  domains.delete('ai.onnx')
  const initializers = new Map(
    graph.initializer.map((tensor) => [tensor.name, readTensor(tensor, external)]),
  )
  const inputs = graph.input.map(readValueInfo).filter(({ name }) => !initializers.has(name))
  const messages = inlineFunctions(message, graph.node)
  // Constants of the graph stay where they are when a file is patched.
  const inFile = new Set([...initializers.keys(), ...graph.node.flatMap(({ output }) => output)])
  const taken = new Set([
    ...graph.input.map(({ name }) => name),
    ...initializers.keys(),
    ...messages.flatMap(({ output }) => output),
  ])
  const freshName = freshNames(taken)
  const all = messages.map((node) =>
    readWithBranches(node, {
      readNode,
      hoist(branch, rename) {
        for (const tensor of branch.initializer)
          initializers.set(rename(tensor.name), readTensor(tensor, external))
      },
      freshName,
    }),
  )
  if (opset > newestOpset) rejectNewerOperators(allNodes(all), opset)
  const hasWeights = [...initializers.values()].some(isWeight)
  const withoutWeights = (all: readonly Node[]): readonly Node[] =>
    all.flatMap((node) => {
      const [output = ''] = node.outputs
      const weight = hasWeights || initializers.has(output) ? undefined : weightOf(node)
      if (!weight) return [mapBranches(node, withoutWeights)]
      initializers.set(output, weight)
      return []
    })
  const nodes = withoutWeights(all)
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
  return withOrigin(upgradeOpset(model, opset), inFile)
}

const isWeight = (tensor: Tensor | OpaqueTensor): boolean =>
  isFloat32(tensor) && tensor.data.length > 1

/** The elements of a Constant that may be a weight. */
function weightOf(node: Node): Tensor | undefined {
  const value = isOperator(node, 'Constant') ? node.attributes.get('value') : undefined
  if (typeof value !== 'object' || !('tensor' in value)) return undefined
  const { tensor } = value
  return isWeight(tensor) ? tensor : undefined
}

function rejectNewerOperators(nodes: readonly Node[], opset: number): void {
  const node = nodes.find(({ domain, operator }) => domain === '' && newerOperators.has(operator))
  if (node)
    throw new OnnxError(
      `${describeNode(node)}: must be an operator of opset ${newestOpset}, but is one of opset ${opset}`,
    )
}

/** Remembers a model that was just read. `inFile` names the initializers that the file has. */
function withOrigin(model: Model, inFile: ReadonlySet<string>): Model {
  const { inputs, outputs, nodes, values, domains } = model
  const initializers = new Map(
    [...model.initializers].map(([name, tensor]) => [name, inFile.has(name) ? undefined : tensor]),
  )
  return { ...model, origin: { inputs, outputs, nodes, values, domains, initializers } }
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

function rejectUnsupported(graph: GraphProto): void {
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
