import { Graph } from './ir/graph.ts'
import { fastest, type Lowering } from './ir/lowering.ts'
import type { Value } from './ir/value.ts'
import type { Loss } from './losses/loss.ts'
import { placements as lowered } from './lowering/placements.ts'
import type { Model, Tensor } from './model/model.ts'
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

/** Inputs that no gradient flows into: bounds, amounts and statistics, by operator and place. */
const settings: ReadonlyMap<string, readonly number[]> = new Map([
  ['BatchNormalization', [3, 4]],
  ['Clip', [1, 2]],
  ['Dropout', [1]],
  ['OneHot', [2]],
  ['Pad', [2]],
  ['Resize', [1, 2]],
])

/** Puts a model and its loss into one graph. */
export function placeModel(
  model: Model,
  mode: 'train' | 'evaluate',
  { loss, frozen = [], lowering, ...sizes }: ModelOptions,
): PlacedModel {
  const graph = new Graph({ ...fastest, ...lowering })
  const isFrozen = (name: string): boolean => frozen.some((pattern) => name.search(pattern) >= 0)
  const { placements, statistics } = mode === 'train' ? trainMode(isFrozen) : evaluateMode()
  const fixed = settingsOf(model)
  const moving = movingStatistics(model, isFrozen)
  const isTrained = (name: string, { shape }: Pick<Tensor, 'shape'>): boolean =>
    shape.length > 0 && !fixed.has(name) && !isFrozen(name)
  const values = fromModel(graph, model, {
    ...sizes,
    mayChange: (name, tensor) => isTrained(name, tensor) || moving.has(name),
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
    parameters: changing.filter(({ name }) => !moving.has(name)),
    running: changing.filter(({ name }) => moving.has(name)),
    statistics,
  }
}

/** The names of the running means and variances, but for normalizations whose scale is frozen. */
const movingStatistics = (
  { nodes }: Model,
  isFrozen: (name: string) => boolean,
): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ operator, inputs }) =>
      operator === 'BatchNormalization' && !isFrozen(inputs[1] ?? '') ? inputs.slice(3, 5) : [],
    ),
  )

const settingsOf = ({ nodes }: Model): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ operator, inputs }) =>
      (settings.get(operator) ?? []).map((place) => inputs[place] ?? ''),
    ),
  )
