import { Graph, type Value } from '../ir/graph.ts'
import { toModel } from '../ir/to-model.ts'
import { checkOptions, describeArgument, OnnxError } from '../model/error.ts'
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

/**
 * Builds a forward model with one input and one output.
 *
 * @throws {OnnxError} Naming the argument that is unknown or of a wrong type.
 */
export function buildModel(layer: Layer, options: BuildOptions): Model {
  if (typeof layer !== 'function')
    throw new OnnxError(`buildModel: must build a layer, but got ${describeArgument(layer)}`)
  checkOptions('buildModel', options, ['shape', 'seed', 'name', 'input', 'output'])
  const { shape, seed, name = 'model', input = 'input', output = 'output' } = options
  const isDimension = (size: unknown): boolean =>
    typeof size === 'string' || (Number.isSafeInteger(size) && Number(size) > 0)
  if (!Array.isArray(shape) || !shape.every(isDimension))
    throw new OnnxError(
      `buildModel: shape must be a list of integers > 0 and names, but is ${describeArgument(shape)}`,
    )
  if (!Number.isSafeInteger(seed))
    throw new OnnxError(`buildModel: seed must be an integer, but is ${describeArgument(seed)}`)
  for (const [option, text] of Object.entries({ name, input, output }))
    if (typeof text !== 'string')
      throw new OnnxError(`buildModel: ${option} must be text, but is ${describeArgument(text)}`)
  const graph = new Graph()
  const x = graph.input(input, 'float32', shape)
  const y = layer(x, { path: '', random: seeded(seed) })
  return toModel({ name, outputs: new Map([[output, y]]) })
}
