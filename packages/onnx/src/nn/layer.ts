import { Graph, type Value } from '../ir/graph.ts'
import { toModel } from '../ir/to-model.ts'
import { elementCount, type Model, type Shape } from '../model/model.ts'
import { add } from '../ops/builders.ts'
import { type Initializer, type Random, seeded } from './initializers.ts'

/** A layer of a network: appends its operations to the graph of `x` and returns its output. */
export type Layer = (x: Value, scope: Scope) => Value

/** How the parameters of a layer are named and initialized. */
export interface Scope {
  /** The names of the enclosing layers, each followed by a dot. */
  readonly path: string
  readonly random: Random
}

/** The scope of a layer inside another one. */
export const childScope = ({ path, random }: Scope, name: string | number): Scope => ({
  path: `${path}${name}.`,
  random,
})

/** Adds an initialized parameter of a layer to the graph of the layer's input. */
export function parameter(
  { graph }: Value,
  { path, random }: Scope,
  name: string,
  shape: readonly number[],
  initializer: Initializer,
): Value {
  const draw = initializer(shape, random)
  const data = new Float32Array(elementCount(shape))
  for (let i = 0; i < data.length; i++) data[i] = draw()
  return graph.parameter(`${path}${name}`, { type: 'float32', shape, data })
}

/** Applies layers in sequence. They are named by their index. */
export const sequential =
  (...layers: readonly Layer[]): Layer =>
  (x, scope) =>
    layers.reduce((value, layer, i) => layer(value, childScope(scope, i)), x)

/** y = branch(x) + shortcut(x). The default shortcut is the identity. */
export const residual =
  (branch: Layer, shortcut: Layer = (x) => x): Layer =>
  (x, scope) =>
    add(branch(x, childScope(scope, 'branch')), shortcut(x, childScope(scope, 'shortcut')))

/** The input, the names and the seed of a model. */
export interface BuildOptions {
  /** The input's shape. A symbolic dimension, such as `batch`, gets its size from `gradientModel`. */
  readonly shape: Shape
  /** The seed of the initial parameters. */
  readonly seed: number
  readonly name?: string
  /** The name of the input. Default `input`. */
  readonly input?: string
  /** The name of the output. Default `output`. */
  readonly output?: string
}

/** Builds a forward model with one input and one output. */
export function buildModel(
  layer: Layer,
  { shape, seed, name = 'model', input = 'input', output = 'output' }: BuildOptions,
): Model {
  const graph = new Graph()
  const x = graph.input(input, 'float32', shape)
  const y = layer(x, { path: '', random: seeded(seed) })
  return toModel({ name, outputs: new Map([[output, y]]) })
}
