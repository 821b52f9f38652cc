import { type Graph, type InferredType, Operation, type Value } from '../ir/graph.ts'
import { allNodes } from '../model/branches.ts'
import { describeNode, OnnxError, qualifiedOperator } from '../model/error.ts'
import {
  type Branch,
  type Dimension,
  isFloat32,
  type Model,
  type Node,
  type Shape,
  type ValueInfo,
} from '../model/model.ts'
import { applyOperator } from '../ops/apply.ts'

/** The sizes of a model's symbolic dimensions. */
export interface InputSizes {
  /** Sizes by the name of the dimension, such as `batch`. */
  readonly dimensions?: Readonly<Record<string, number>>
  /** Whole shapes by the name of the input. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/**
 * Rewrites a node while it is imported: appends another form and returns its outputs, or returns
 * `undefined` to leave the node to the next rule.
 */
export type RewriteRule = (
  graph: Graph,
  node: Node,
  inputs: readonly (Value | undefined)[],
) => readonly (Value | undefined)[] | undefined

/** Returns the outputs of an operation in another form, which it appends to the operation's graph. */
export type OperatorRewrite = (operation: Operation) => readonly (Value | undefined)[]

/** A rule that applies rewrites by the operator's name, with its domain. */
export const rewriteOperators =
  (rewrites: ReadonlyMap<string, OperatorRewrite>): RewriteRule =>
  (graph, node, inputs) =>
    rewrites.get(qualifiedOperator(node))?.(new Operation(graph, { ...node, inputs }))

/** How a model is imported into a graph. */
export interface ImportOptions extends InputSizes {
  /** Whether an initializer becomes a parameter of the graph. Default: none does. */
  readonly isParameter?: (name: string) => boolean
  /** The first rule that returns outputs applies. */
  readonly rules?: readonly RewriteRule[]
}

/**
 * Imports a model into a graph with static input shapes, and returns its values by name.
 *
 * @throws {OnnxError} If an input has an unsupported type or a size that is not given, a node reads a
 *   tensor of an unsupported type, or shape inference fails.
 */
export function importModel(
  graph: Graph,
  model: Model,
  { dimensions = {}, shapes = {}, isParameter = () => false, rules = [] }: ImportOptions,
): ReadonlyMap<string, Value> {
  graph.reserveNames(allNodes(model.nodes).flatMap(({ name, outputs }) => [name, ...outputs]))
  const values = new Map<string, Value>()
  const declared = new Map([
    ...model.values,
    ...model.outputs.map((output) => [output.name, output] as const),
  ])
  const sizes = new Map(Object.entries(dimensions))
  const inputShapes = new Map(Object.entries(shapes))
  for (const input of model.inputs) {
    if (input.type === undefined)
      throw new OnnxError(`input "${input.name}": must be a tensor of numbers`)
    const shape = staticInputShape(input, inputShapes.get(input.name), sizes)
    // A whole shape gives the sizes of its symbolic dimensions as well, to declared shapes of values.
    for (const [axis, size] of (input.shape ?? []).entries())
      if (typeof size === 'string' && !sizes.has(size)) sizes.set(size, Number(shape[axis]))
    values.set(input.name, graph.input(input.name, input.type, shape))
  }
  for (const [name, tensor] of model.initializers) {
    if (tensor.type === 'opaque') continue
    const trained = isFloat32(tensor) && isParameter(name)
    values.set(name, trained ? graph.parameter(name, tensor) : graph.initializer(name, tensor))
  }
  const importAll = (node: Node): void => {
    if (node.branches) {
      const branch = chosenBranch(node, values)
      for (const inner of branch.nodes) importAll(inner)
      for (const [i, name] of node.outputs.entries())
        values.set(name, read(values, node, branch.outputs[i] ?? ''))
      return
    }
    const inputs = node.inputs.map((name) => (name === '' ? undefined : read(values, node, name)))
    const rewritten = rules.reduce<ReturnType<RewriteRule>>(
      (outputs, rule) => outputs ?? rule(graph, node, inputs),
      undefined,
    )
    const outputs = rewritten ?? importNode(graph, node, inputs, declared, sizes)
    for (const [i, name] of node.outputs.entries()) {
      const value = outputs[i]
      if (name !== '' && value) values.set(name, value)
    }
  }
  for (const node of model.nodes) importAll(node)
  return values
}

/** The branch of an If that its condition selects. */
function chosenBranch(node: Node, values: ReadonlyMap<string, Value>): Branch {
  const condition = read(values, node, node.inputs[0] ?? '')
  const { then, otherwise } = node.branches ?? {}
  if (!condition.constant || !then || !otherwise)
    throw new OnnxError(
      `${describeNode(node)}: its condition "${condition.name}" must be constant, but depends on inputs; make an initializer of the input that decides`,
    )
  return Number(condition.constant.data[0]) ? then : otherwise
}

function importNode(
  graph: Graph,
  node: Node,
  inputs: readonly (Value | undefined)[],
  declared: ReadonlyMap<string, ValueInfo>,
  sizes: ReadonlyMap<string, number>,
): readonly (Value | undefined)[] {
  const { name, domain, attributes, outputs } = node
  const declaredTypes = outputs.map((output): InferredType | undefined => {
    const { type, shape } = declared.get(output) ?? {}
    return type && shape ? { type, shape: shape.map((size) => resolve(size, sizes)) } : undefined
  })
  return applyOperator(graph, node.operator, inputs, {
    name,
    domain,
    attributes,
    outputs,
    declaredTypes,
  }).outputs
}

function read(values: ReadonlyMap<string, Value>, node: Node, name: string): Value {
  const value = values.get(name)
  if (value === undefined)
    throw new OnnxError(`${describeNode(node)}: "${name}" is not a tensor of numbers`)
  return value
}

/** Replaces a symbolic dimension by its size, if it has one. */
const resolve = (size: Dimension, sizes: ReadonlyMap<string, number>): Dimension =>
  typeof size === 'string' ? (sizes.get(size) ?? size) : size

function staticInputShape(
  { name, shape: declared }: ValueInfo,
  inputShape: readonly number[] | undefined,
  sizes: ReadonlyMap<string, number>,
): Shape {
  if (inputShape && declared && inputShape.length !== declared.length)
    throw new OnnxError(
      `input "${name}": must have ${declared.length} axes, but its shape in "shapes" has ${inputShape.length}`,
    )
  const shape = inputShape ?? declared?.map((size) => resolve(size, sizes))
  if (shape === undefined)
    throw new OnnxError(
      `input "${name}": must have a shape in "shapes", as the model declares none`,
    )
  for (const size of shape) {
    if (typeof size === 'string')
      throw new OnnxError(
        `input "${name}": dimension "${size}" must have a size in "dimensions", but has none`,
      )
    if (!(Number.isSafeInteger(size) && size > 0))
      throw new OnnxError(`input "${name}": a dimension must be a positive integer, but is ${size}`)
  }
  return shape
}
