import { Graph } from '../ir/graph.ts'
import { toModel } from '../ir/to-model.ts'
import type { Model, Shape } from '../model/model.ts'
import { seeded } from '../random.ts'
import type { Layer } from './layer.ts'

/** What a model is built for, and from. */
export interface BuildOptions {
  /** The input's shape. A name, such as `batch`, leaves a size open until a gradient model is made. */
  readonly shape: Shape
  /** Draws the initial parameters. */
  readonly seed: number
  readonly name?: string
  /** Default `input`. */
  readonly input?: string
  /** Default `output`. */
  readonly output?: string
}

/** Builds a forward model of one input and one output. */
export function buildModel(
  layer: Layer,
  { shape, seed, name = 'model', input = 'input', output = 'output' }: BuildOptions,
): Model {
  const graph = new Graph()
  const x = graph.input(input, 'float32', shape)
  const y = layer(x, { path: '', random: seeded(seed) })
  return toModel({ name, outputs: new Map([[output, y]]) })
}
