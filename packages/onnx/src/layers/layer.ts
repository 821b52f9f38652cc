import type { Value } from '../ir/value.ts'
import { elementCount } from '../model/model.ts'
import type { Random } from '../random.ts'
import type { Initializer } from './initializers.ts'

/** A part of a network: what it makes of a value, with parameters from a scope. */
export type Layer = (x: Value, scope: Scope) => Value

/** Where a layer's parameters are named and drawn. */
export interface Scope {
  /** The names of the layers around, each followed by a dot. */
  readonly path: string
  readonly random: Random
}

/** The scope of a layer inside another. */
export const inside = ({ path, random }: Scope, name: string | number): Scope => ({
  path: `${path}${name}.`,
  random,
})

/** Adds a parameter of a layer to the graph of the layer's input. */
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

/** Layers one after the other, named by their number. */
export const sequential =
  (...layers: readonly Layer[]): Layer =>
  (x, scope) =>
    layers.reduce((value, layer, i) => layer(value, inside(scope, i)), x)
