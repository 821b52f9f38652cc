import { foldConstants } from '../analysis/constant-folding.ts'
import { inferShapes } from '../analysis/shape-inference.ts'
import { type Graph, type InferredType, Operation, type Value } from '../ir/graph.ts'
import type { Attribute } from '../model/model.ts'

/** Optional settings of an operation. */
export interface OperatorOptions {
  readonly attributes?: ReadonlyMap<string, Attribute>
  readonly domain?: string
  readonly name?: string
  /** The names of the outputs. Default: one output named after the operator. */
  readonly outputs?: readonly string[]
  /** The types of the outputs, used for operators without a shape rule. */
  readonly declaredTypes?: readonly (InferredType | undefined)[]
  /** Whether an operation with constant inputs is computed now. Default true. */
  readonly fold?: boolean
}

/** Appends an operation to a graph. Infers its shapes, and folds it if its inputs are small constants. */
export function applyOperator(
  graph: Graph,
  operator: string,
  inputs: readonly (Value | undefined)[],
  {
    attributes = new Map(),
    domain = '',
    name,
    outputs,
    declaredTypes,
    fold = true,
  }: OperatorOptions = {},
): Operation {
  const names = outputs ?? [graph.freshName(name || operator)]
  const operation = new Operation(graph, {
    operator,
    domain,
    name: name || names.find((output) => output !== '') || operator,
    inputs,
    attributes,
  })
  const equal = graph.equalLayout(operation)
  if (equal) return equal
  const inferred = inferShapes(operation, declaredTypes)
  const constants = fold ? foldConstants(operation, inferred) : undefined
  if (constants) {
    const types = constants.map((constant) => ({
      type: constant.type,
      shape: constant.shape,
      constant,
    }))
    operation.setOutputs(types, names)
    for (const output of operation.outputs) if (output) graph.appendFolded(output)
  } else {
    operation.setOutputs(inferred, names)
    graph.append(operation)
  }
  return operation
}

/** Appends an operation and returns its first output. */
export function apply(
  operator: string,
  inputs: readonly [Value, ...(Value | undefined)[]],
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  const [{ graph }] = inputs
  return applyOperator(graph, operator, inputs, {
    attributes: new Map(Object.entries(attributes)),
  }).output()
}
