import { OnnxError } from '../model/error.ts'
import type { Model, Node, Tensor, ValueInfo } from '../model/model.ts'
import { Operation, type Value } from './graph.ts'

/** Which values of a graph become a model. */
export interface ModelSpec {
  readonly name: string
  /** The model's outputs, by their names. */
  readonly outputs: ReadonlyMap<string, Value>
  readonly domains?: ReadonlyMap<string, number>
  /** Parameters that become inputs. All others become initializers. */
  readonly parametersAsInputs?: ReadonlySet<Value>
}

/** Makes a model that computes some values of a graph. Dead code is eliminated. */
export function toModel({
  name,
  outputs,
  domains = new Map(),
  parametersAsInputs = new Set(),
}: ModelSpec): Model {
  const [first] = outputs.values()
  if (first === undefined) throw new OnnxError(`model "${name}": must have an output`)
  const { graph } = first
  const named = nameOutputs(outputs)
  const live = liveValues(graph.operations, named.keys())
  // An output copies a constant, and takes its name: the constant gets another one.
  const renamed = new Map(
    graph.initializers
      .filter((value) => value.constant && outputs.has(value.name))
      .map((value) => [value, graph.freshName(value.name)] as const),
  )
  const nameOf = (value: Value): string => named.get(value) ?? renamed.get(value) ?? value.name
  const tensors = graph.initializers.filter(
    (value) => live.has(value) && !parametersAsInputs.has(value),
  )
  const inputs = [...graph.inputs, ...parametersAsInputs].filter((value) => live.has(value))
  const operations = graph.operations.filter((operation) => isLive(operation, live))
  const intermediate = operations
    .flatMap(({ outputs }) => outputs.filter((value) => value !== undefined))
    .filter((value) => live.has(value) && !named.has(value))
  return {
    name,
    inputs: inputs.map(valueInfo),
    outputs: [...named].map(([value, as]) => valueInfo({ ...value, name: as })),
    nodes: operations.map((operation) => toNode(operation, live, nameOf)),
    initializers: new Map(
      tensors.flatMap((value): [string, Tensor][] => {
        const tensor = value.constant ?? value.initial
        return tensor ? [[nameOf(value), tensor]] : []
      }),
    ),
    values: new Map(intermediate.map((value) => [value.name, valueInfo(value)])),
    domains: new Map([...customDomains(operations), ...domains]),
  }
}

/** The domains of operations other than the standard one, in version 1. */
const customDomains = (operations: readonly Operation[]): readonly (readonly [string, number])[] =>
  operations.flatMap(({ domain }) => (domain === '' ? [] : [[domain, 1] as const]))

const valueInfo = ({ name, type, shape }: Value): ValueInfo => ({ name, type, shape })

/** Renames computed values to their outputs. Inputs, initializers and values of two outputs are copied. */
function nameOutputs(outputs: ReadonlyMap<string, Value>): ReadonlyMap<Value, string> {
  const named = new Map<Value, string>()
  for (const [name, value] of outputs) {
    const { graph } = value
    const computed = graph.operations.some((operation) => operation.outputs.includes(value))
    named.set(computed && !named.has(value) ? value : copyOf(value), name)
  }
  return named
}

/** Appends an Identity, whose output can have a name of its own. */
function copyOf(value: Value): Value {
  const { graph, type, shape } = value
  const name = graph.freshName('Identity')
  const node = { operator: 'Identity', domain: '', name, inputs: [value], attributes: new Map() }
  const operation = new Operation(graph, node)
  operation.setOutputs([{ type, shape }], [name])
  graph.append(operation)
  return operation.output()
}

function liveValues(operations: readonly Operation[], values: Iterable<Value>): ReadonlySet<Value> {
  const live = new Set(values)
  for (const operation of operations.toReversed())
    if (isLive(operation, live)) for (const input of operation.inputs) if (input) live.add(input)
  return live
}

const isLive = ({ outputs }: Operation, live: ReadonlySet<Value>): boolean =>
  outputs.some((output) => output && live.has(output))

/** Optional outputs that a gradient rule added stay only if they are live. */
function toNode(
  operation: Operation,
  live: ReadonlySet<Value>,
  nameOf: (value: Value) => string,
): Node {
  const { operator, domain, name, inputs, outputs, attributes } = operation
  const nameOrEmpty = (value: Value | undefined): string => (value ? nameOf(value) : '')
  const last = outputs.findLastIndex((output) => output && live.has(output))
  const kept = outputs.slice(0, Math.max(last + 1, operation.declaredOutputs))
  return {
    operator,
    domain,
    name,
    inputs: inputs.slice(0, inputs.findLastIndex((input) => input) + 1).map(nameOrEmpty),
    outputs: Array.from(kept, nameOrEmpty),
    attributes,
  }
}
