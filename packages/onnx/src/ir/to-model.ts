import { OnnxError } from '../error.ts'
import type { Model, Node, Tensor, ValueInfo } from '../model/model.ts'
import { Operation } from './operation.ts'
import type { Value } from './value.ts'

/** What a model made of a graph is called, and gives. */
export interface ModelParts {
  readonly name: string
  /** The model's outputs, under the names they get. */
  readonly outputs: ReadonlyMap<string, Value>
  readonly domains?: ReadonlyMap<string, number>
  /** The parameters that a run is given; all others are part of the model. */
  readonly free?: ReadonlySet<Value>
}

/** Makes a model of what some values are computed from. The rest of their graph is left out. */
export function toModel({
  name,
  outputs,
  domains = new Map(),
  free = new Set(),
}: ModelParts): Model {
  const [first] = outputs.values()
  if (first === undefined) throw new OnnxError(`model "${name}": must have an output`)
  const { graph } = first
  const named = nameOutputs(outputs)
  const needed = neededBy(graph.operations, named.keys())
  const nameOf = (value: Value): string => named.get(value) ?? value.name
  const tensors = graph.initializers.filter((value) => needed.has(value) && !free.has(value))
  const inputs = [...graph.inputs, ...free].filter((value) => needed.has(value))
  const operations = graph.operations.filter((operation) => isNeeded(operation, needed))
  const between = operations
    .flatMap(({ outputs }) => outputs.filter((value) => value !== undefined))
    .filter((value) => needed.has(value) && !named.has(value))
  return {
    name,
    inputs: inputs.map(describe),
    outputs: [...named].map(([value, as]) => describe({ ...value, name: as })),
    nodes: operations.map((operation) => toNode(operation, needed, nameOf)),
    initializers: new Map(
      tensors.flatMap(({ name, known, initial }): [string, Tensor][] => {
        const tensor = known ?? initial
        return tensor ? [[name, tensor]] : []
      }),
    ),
    values: new Map(between.map((value) => [value.name, describe(value)])),
    domains,
  }
}

const describe = ({ name, type, shape }: Value): ValueInfo => ({ name, type, shape })

/** A value that is computed takes its output's name; any other is copied, and so is one that is given twice. */
function nameOutputs(outputs: ReadonlyMap<string, Value>): ReadonlyMap<Value, string> {
  const named = new Map<Value, string>()
  for (const [name, value] of outputs) {
    const { graph } = value
    const computed = graph.operations.some((operation) => operation.outputs.includes(value))
    const copied = (): Value => identity(value)
    named.set(computed && !named.has(value) ? value : copied(), name)
  }
  return named
}

/** A value under a name of its own. */
function identity(value: Value): Value {
  const { graph, type, shape } = value
  const name = graph.freshName('Identity')
  const parts = { operator: 'Identity', domain: '', name, inputs: [value], attributes: new Map() }
  const operation = new Operation(graph, parts)
  operation.give([{ type, shape }], [name])
  graph.append(operation)
  return operation.output()
}

function neededBy(operations: readonly Operation[], values: Iterable<Value>): ReadonlySet<Value> {
  const needed = new Set(values)
  for (const operation of operations.toReversed())
    if (isNeeded(operation, needed))
      for (const input of operation.inputs) if (input) needed.add(input)
  return needed
}

const isNeeded = ({ outputs }: Operation, needed: ReadonlySet<Value>): boolean =>
  outputs.some((output) => output && needed.has(output))

/** Outputs that were only given for a gradient are asked for only if that gradient is. */
function toNode(
  operation: Operation,
  needed: ReadonlySet<Value>,
  nameOf: (value: Value) => string,
): Node {
  const { operator, domain, name, inputs, outputs, attributes } = operation
  const nameOrNone = (value: Value | undefined): string => (value ? nameOf(value) : '')
  const last = outputs.findLastIndex((output) => output && needed.has(output))
  const asked = outputs.slice(0, Math.max(last + 1, operation.declared))
  return {
    operator,
    domain,
    name,
    inputs: inputs.slice(0, inputs.findLastIndex((input) => input) + 1).map(nameOrNone),
    outputs: Array.from(asked, nameOrNone),
    attributes,
  }
}
