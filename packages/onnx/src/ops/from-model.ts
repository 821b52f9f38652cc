import { OnnxError } from '../error.ts'
import type { Graph } from '../ir/graph.ts'
import type { Inferred, Value } from '../ir/value.ts'
import {
  type Dimension,
  isFloat32,
  type Model,
  type Node,
  type Shape,
  type ValueInfo,
} from '../model/model.ts'
import { describeNode } from '../model/node.ts'
import { applyOperator } from './apply.ts'

/** The sizes that a model leaves open. */
export interface OpenSizes {
  /** The sizes of named dimensions, such as `batch`. */
  readonly dimensions?: Readonly<Record<string, number>>
  /** The whole shapes of inputs, by their names. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}

/** Puts a node into a graph in another form than its own; `undefined` where that form is right. */
export type Placement = (
  graph: Graph,
  node: Node,
  inputs: readonly (Value | undefined)[],
) => readonly (Value | undefined)[] | undefined

/** How a model is put into a graph. */
export interface Placing extends OpenSizes {
  /** Whether training may change a float32 initializer. */
  readonly mayChange?: (name: string) => boolean
  /** The first that gives an answer is followed. */
  readonly placements?: readonly Placement[]
}

/** Puts a model into a graph, every size settled, and gives its values by name. */
export function fromModel(
  graph: Graph,
  model: Model,
  { dimensions = {}, shapes = {}, mayChange = () => false, placements = [] }: Placing,
): ReadonlyMap<string, Value> {
  graph.reserve(model.nodes.flatMap(({ name, outputs }) => [name, ...outputs]))
  const values = new Map<string, Value>()
  const open = new Map(Object.entries(dimensions))
  const whole = new Map(Object.entries(shapes))
  for (const input of model.inputs) {
    if (input.type === undefined)
      throw new OnnxError(`input "${input.name}": must be a tensor of numbers`)
    const shape = settledShape(input, whole.get(input.name), open)
    values.set(input.name, graph.input(input.name, input.type, shape))
  }
  for (const [name, tensor] of model.initializers) {
    if (tensor.type === 'opaque') continue
    const changes = isFloat32(tensor) && mayChange(name)
    values.set(name, changes ? graph.parameter(name, tensor) : graph.initializer(name, tensor))
  }
  for (const node of model.nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : known(values, node, name)))
    const outputs = placements.reduce<ReturnType<Placement>>(
      (placed, placement) => placed ?? placement(graph, node, inputs),
      undefined,
    )
    const given = outputs ?? place(graph, node, inputs, model, open)
    for (const [i, name] of node.outputs.entries()) {
      const value = given[i]
      if (name !== '' && value) values.set(name, value)
    }
  }
  return values
}

function place(
  graph: Graph,
  node: Node,
  inputs: readonly (Value | undefined)[],
  model: Model,
  open: ReadonlyMap<string, number>,
): readonly (Value | undefined)[] {
  const { name, domain, attributes, outputs } = node
  const declared = outputs.map((output): Inferred | undefined => {
    const { type, shape } = model.values.get(output) ?? {}
    return type && shape ? { type, shape: shape.map((size) => resolved(size, open)) } : undefined
  })
  return applyOperator(graph, node.operator, inputs, {
    name,
    domain,
    attributes,
    outputs,
    declared,
  }).outputs
}

function known(values: ReadonlyMap<string, Value>, node: Node, name: string): Value {
  const value = values.get(name)
  if (value === undefined)
    throw new OnnxError(`${describeNode(node)}: "${name}" is not a tensor of numbers`)
  return value
}

const resolved = (size: Dimension, open: ReadonlyMap<string, number>): Dimension =>
  typeof size === 'string' ? (open.get(size) ?? size) : size

function settledShape(
  { name, shape }: ValueInfo,
  whole: readonly number[] | undefined,
  open: ReadonlyMap<string, number>,
): Shape {
  if (whole && shape && whole.length !== shape.length)
    throw new OnnxError(
      `input "${name}": must have ${shape.length} axes, but is given ${whole.length}`,
    )
  const settled = whole ?? shape?.map((size) => resolved(size, open))
  if (settled === undefined)
    throw new OnnxError(`input "${name}": the model leaves its shape open; it must be given`)
  for (const size of settled) {
    if (typeof size === 'string')
      throw new OnnxError(
        `input "${name}": the model leaves dimension "${size}" open; it must be given`,
      )
    if (!(Number.isSafeInteger(size) && size > 0))
      throw new OnnxError(`input "${name}": a dimension must be a positive integer, but is ${size}`)
  }
  return settled
}
