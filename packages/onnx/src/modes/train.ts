import type { Value } from '../ir/value.ts'
import { isFrozenNormalization } from '../model/initializer-roles.ts'
import { AttributeReader, isOperator } from '../model/node.ts'
import { applyOperator } from '../ops/apply.ts'
import { normalizeBatch } from '../ops/batch-normalization.ts'
import type { Placement } from '../ops/from-model.ts'
import { add, mul } from '../ops/operations.ts'
import { evaluated } from './evaluate.ts'
import type { Mode } from './mode.ts'

/**
 * The batch's statistics normalize and move the running ones, and Dropout drops.
 * @param frozen Patterns of frozen parameters; a normalization whose scale is frozen keeps its running
 *   statistics, and normalizes by them.
 */
export function trainMode(frozen: readonly RegExp[]): Mode {
  const statistics = new Map<Value, Value>()
  const normalizeByBatch: Placement = (graph, node, inputs) => {
    const [x, scale, bias, mean, variance] = inputs
    if (!isOperator(node, 'BatchNormalization') || !x || !scale || !bias) return
    if (isFrozenNormalization(node, frozen)) return evaluated(graph, node, inputs)
    const attributes = new AttributeReader(node)
    const epsilon = attributes.float('epsilon', 1e-5)
    const batch = normalizeBatch({ x, scale, bias, epsilon })
    const momentum = attributes.float('momentum', 0.9)
    for (const [running, found] of [
      [mean, batch.mean],
      [variance, batch.variance],
    ] as const) {
      if (!running?.initial) continue
      const before = statistics.get(running) ?? running
      statistics.set(running, moved(before, found, momentum))
    }
    return [batch.y]
  }
  return { placements: [normalizeByBatch, drop], statistics }
}

/** running ← momentum · running + (1 − momentum) · batch */
const moved = (running: Value, batch: Value, momentum: number): Value =>
  add(mul(running, momentum), mul(batch, 1 - momentum))

const drop: Placement = (graph, node, [x, ratio]) => {
  if (!isOperator(node, 'Dropout')) return
  const inputs = [x, ratio ?? graph.scalar(0.5), graph.scalar(1, 'bool')]
  const { name, attributes, outputs } = node
  return applyOperator(graph, 'Dropout', inputs, { name, attributes, outputs }).outputs
}
