import { OnnxError } from './error.ts'
import { gradients } from './gradient/gradients.ts'
import { fromModel, type OpenSizes } from './graph/from-model.ts'
import { Graph } from './graph/graph.ts'
import type { Value } from './graph/value.ts'
import type { Loss } from './losses/loss.ts'
import { foldBatch } from './lowering/fold-batch.ts'
import { fastest, type Lowering } from './lowering/lowering.ts'
import { plainMaxPool } from './lowering/plain-max-pool.ts'
import type { Model, Tensor } from './model/model.ts'
import { evaluateMode } from './modes/evaluate.ts'
import { trainMode } from './modes/train.ts'

/** How a forward model is differentiated. */
export interface DifferentiateOptions extends OpenSizes {
  readonly loss: Loss
  /** `train`: batch statistics, and dropout. `evaluate`: running statistics, and none. Default `train`. */
  readonly mode?: 'train' | 'evaluate'
  /** Parameters whose names match one of these stay as they are, and cost nothing. */
  readonly frozen?: readonly RegExp[]
  /** Formulations; by default what is fastest on the CPU. */
  readonly lowering?: Partial<Lowering>
}

/** A forward model in a graph, with its loss and what follows from it. */
export interface Differentiated {
  readonly graph: Graph
  readonly loss: Value
  readonly outputs: ReadonlyMap<string, Value>
  /** The gradient of every parameter that is trained. */
  readonly gradients: ReadonlyMap<Value, Value>
  /** What every running statistic becomes. */
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

/** Puts a model, its loss and all gradients into one graph. */
export function differentiate(
  model: Model,
  { loss, mode = 'train', frozen = [], lowering, ...sizes }: DifferentiateOptions,
): Differentiated {
  const graph = new Graph({ ...fastest, ...lowering })
  const isFrozen = (name: string): boolean => frozen.some((pattern) => pattern.test(name))
  const { placements, statistics } = mode === 'train' ? trainMode(isFrozen) : evaluateMode()
  const fixed = settingsOf(model)
  const trainable = (name: string, tensor: Tensor): boolean =>
    tensor.shape.length > 0 && !fixed.has(name) && !isFrozen(name)
  const running = statisticsOf(model)
  const values = fromModel(graph, model, {
    ...sizes,
    mayChange: (name, tensor) => trainable(name, tensor) || running.has(name),
    placements: [...placements, foldBatch, plainMaxPool],
  })
  const outputs = new Map(
    model.outputs.flatMap(({ name }) => {
      const value = values.get(name)
      return value ? [[name, value] as const] : []
    }),
  )
  const scalar = loss(outputs)
  const sources = [...values.values()].filter(
    ({ name, initial }) => initial && trainable(name, initial),
  )
  const all = gradients(scalar, sources)
  if (all.size === 0)
    throw new OnnxError('model: the loss must depend on a parameter, but does not')
  return { graph, loss: scalar, outputs, gradients: all, statistics }
}

/** The names of the running means and variances. */
const statisticsOf = ({ nodes }: Model): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ operator, inputs }) =>
      operator === 'BatchNormalization' ? inputs.slice(3, 5) : [],
    ),
  )

const settingsOf = ({ nodes }: Model): ReadonlySet<string> =>
  new Set(
    nodes.flatMap(({ operator, inputs }) =>
      (settings.get(operator) ?? []).map((place) => inputs[place] ?? ''),
    ),
  )
