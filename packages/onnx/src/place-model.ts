import { Graph } from './ir/graph.ts'
import { fastest, type Lowering } from './ir/lowering.ts'
import type { Value } from './ir/value.ts'
import type { Loss } from './losses/loss.ts'
import { placements as lowered } from './lowering/placements.ts'
import { initializerRoles } from './model/initializer-roles.ts'
import type { Model } from './model/model.ts'
import { evaluateMode } from './modes/evaluate.ts'
import { trainMode } from './modes/train.ts'
import { fromModel, type OpenSizes } from './ops/from-model.ts'

/** How a forward model is judged, and what of it may change. */
export interface ModelOptions extends OpenSizes {
  readonly loss: Loss
  /** Parameters whose names match one of these stay as they are, and cost nothing. */
  readonly frozen?: readonly RegExp[]
  /** Formulations; by default what is fastest on the CPU. */
  readonly lowering?: Partial<Lowering>
}

/** A forward model in a graph, with its loss. */
export interface PlacedModel {
  readonly graph: Graph
  readonly loss: Value
  readonly outputs: ReadonlyMap<string, Value>
  /** The parameters that may be trained. */
  readonly parameters: readonly Value[]
  /** The running means and variances that training moves. */
  readonly running: readonly Value[]
  /** What they become, in training. */
  readonly statistics: ReadonlyMap<Value, Value>
}

/** Puts a model and its loss into one graph. */
export function placeModel(
  model: Model,
  mode: 'train' | 'evaluate',
  { loss, frozen = [], lowering, ...sizes }: ModelOptions,
): PlacedModel {
  const graph = new Graph({ ...fastest, ...lowering })
  const { parameters, statistics: running } = initializerRoles(model, frozen)
  const { placements, statistics } = mode === 'train' ? trainMode(frozen) : evaluateMode()
  const values = fromModel(graph, model, {
    ...sizes,
    mayChange: (name) => parameters.has(name) || running.has(name),
    placements: [...placements, ...lowered],
  })
  const outputs = new Map(
    model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value] as const] : []
    }),
  )
  const changing = [...values.values()].filter(({ initial }) => initial)
  return {
    graph,
    loss: loss(outputs),
    outputs,
    parameters: changing.filter(({ name }) => parameters.has(name)),
    running: changing.filter(({ name }) => running.has(name)),
    statistics,
  }
}
