import type { Value } from '../ir/graph.ts'
import { mapBranches } from '../model/branches.ts'
import { isFrozenNormalization, trainedSpectralNorms } from '../model/initializer-roles.ts'
import type { Model, Node } from '../model/model.ts'
import { AttributeReader, isOperator } from '../model/node.ts'
import { applyOperator } from '../ops/apply.ts'
import { add, mul } from '../ops/builders.ts'
import { DropoutMasks } from '../ops/dropout.ts'
import { normalizeBatch } from '../ops/normalization.ts'
import { iteratePower } from '../ops/spectral-norm.ts'
import type { RewriteRule } from './import.ts'

/** A statistic of the batch, with its share in a running one: r ← momentum · r + (1 − momentum) · batch. */
export interface BatchStatistic {
  readonly batch: Value
  readonly momentum: number
}

/** The rewrite rules of a mode, for the operators that differ between training and evaluation. */
export interface ModeRules {
  readonly rules: readonly RewriteRule[]
  /** The next value of each running statistic; filled while the rules are applied. */
  readonly nextStatistics: ReadonlyMap<Value, Value>
  /** The statistics of the batch that change each running statistic, in their order. A count has none. */
  readonly batchStatistics: ReadonlyMap<Value, readonly BatchStatistic[]>
}

/**
 * The evaluation form of a node: BatchNormalization normalizes by its running statistics, and Dropout
 * drops nothing, even if the model was exported in training mode. Other nodes are returned unchanged.
 */
export function evaluationForm(node: Node): Node {
  if (isOperator(node, 'BatchNormalization')) {
    const attributes = [...node.attributes].filter(([name]) => name !== 'training_mode')
    return { ...node, attributes: new Map(attributes), outputs: node.outputs.slice(0, 1) }
  }
  // The third input, false by default, is the training mode.
  if (isOperator(node, 'Dropout')) return { ...node, inputs: node.inputs.slice(0, 2) }
  return mapBranches(node, (nodes) => nodes.map(evaluationForm))
}

/** Rules for evaluation mode. */
export const evaluateMode = (): ModeRules => ({
  rules: [evaluate],
  nextStatistics: new Map(),
  batchStatistics: new Map(),
})

const evaluate: RewriteRule = (graph, node, inputs) => {
  // Some execution providers have no Dropout at all.
  if (isOperator(node, 'Dropout') && node.outputs.length === 1) return inputs.slice(0, 1)
  const form = evaluationForm(node)
  if (form === node || node.branches) return
  const { operator, name, attributes, outputs } = form
  const kept = inputs.slice(0, form.inputs.length)
  return applyOperator(graph, operator, kept, { name, attributes, outputs }).outputs
}

/**
 * Rules for training mode: BatchNormalization normalizes by the batch and updates the running
 * statistics, a spectral norm makes one power iteration, and Dropout drops. A batch normalization whose
 * scale is frozen and the spectral norm of a frozen weight stay in evaluation mode.
 *
 * @param seed - of the elements that are dropped. Without one, the runtime draws them, or a random seed if
 * it lacks Dropout.
 */
export function trainMode(
  model: Pick<Model, 'nodes' | 'initializers'>,
  frozen: readonly RegExp[],
  seed?: number,
): ModeRules {
  const norms = trainedSpectralNorms(model, frozen)
  const nextStatistics = new Map<Value, Value>()
  const batchStatistics = new Map<Value, readonly BatchStatistic[]>()
  let masks: DropoutMasks | undefined
  const drop: RewriteRule = (graph, node, [x, given]) => {
    if (!isOperator(node, 'Dropout') || !x) return
    const ratio = given ?? graph.scalar(0.5)
    if (seed !== undefined || graph.lowering.operators === 'plain') {
      masks ??= new DropoutMasks(graph, seed ?? Math.floor(Math.random() * 2 ** 31))
      nextStatistics.set(...masks.count)
      return masks.apply(x, ratio)
    }
    const { name, attributes, outputs } = node
    const inputs = [x, ratio, graph.scalar(1, 'bool')]
    return applyOperator(graph, 'Dropout', inputs, { name, attributes, outputs }).outputs
  }
  const normalize: RewriteRule = (graph, node, inputs) => {
    const [x, scale, bias, mean, variance] = inputs
    if (!isOperator(node, 'BatchNormalization') || !x || !scale || !bias) return
    if (isFrozenNormalization(node, frozen)) return evaluate(graph, node, inputs)
    const attributes = new AttributeReader(node)
    const batch = normalizeBatch({ x, scale, bias, epsilon: attributes.float('epsilon', 1e-5) })
    const momentum = attributes.float('momentum', 0.9)
    for (const [running, ofBatch] of [
      [mean, batch.mean],
      [variance, batch.variance],
    ] as const) {
      if (!running?.initial) continue
      const previous = nextStatistics.get(running) ?? running
      nextStatistics.set(running, movingAverage(previous, ofBatch, momentum))
      const earlier = batchStatistics.get(running) ?? []
      batchStatistics.set(running, [...earlier, { batch: ofBatch, momentum }])
    }
    return [batch.y]
  }
  const iterate: RewriteRule = (graph, node, [u, product]) => {
    if (!norms.has(node) || !u || !product) return
    const { inputs = [] } = graph.operations.find(({ outputs }) => outputs.includes(product)) ?? {}
    const [matrix, v] = inputs
    if (!matrix || !v) return
    const next = iteratePower(matrix, nextStatistics.get(u) ?? u)
    nextStatistics.set(u, next.u).set(v, next.v)
    return [next.sigma]
  }
  return { rules: [normalize, iterate, drop], nextStatistics, batchStatistics }
}

/** running ← momentum · running + (1 − momentum) · batch */
const movingAverage = (running: Value, batch: Value, momentum: number): Value =>
  add(mul(running, momentum), mul(batch, 1 - momentum))
