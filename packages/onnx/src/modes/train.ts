import type { Value } from '../ir/value.ts'
import type { Node } from '../model/model.ts'
import { applyOperator } from '../ops/apply.ts'
import { normalizeBatch } from '../ops/batch-normalization.ts'
import type { Placement } from '../ops/from-model.ts'
import { add, mul } from '../ops/operations.ts'
import { normalizeByRunning } from './evaluate.ts'
import type { Mode } from './mode.ts'

/**
 * The batch's statistics normalize and move the running ones, and Dropout drops.
 * @param isFrozen Tells of a parameter's name whether it is frozen; a normalization whose scale is
 *   frozen keeps its running statistics, and normalizes by them.
 */
export function trainMode(isFrozen: (name: string) => boolean): Mode {
  const statistics = new Map<Value, Value>()
  const normalizeByBatch: Placement = (graph, node, inputs) => {
    const [x, scale, bias, mean, variance] = inputs
    if (node.operator !== 'BatchNormalization' || !x || !scale || !bias) return
    if (isFrozen(scale.name)) return normalizeByRunning(graph, node, inputs)
    const epsilon = float(node, 'epsilon', 1e-5)
    const batch = normalizeBatch({ x, scale, bias, epsilon })
    const momentum = float(node, 'momentum', 0.9)
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
  if (node.operator !== 'Dropout') return
  const inputs = [x, ratio ?? graph.scalar(0.5), graph.scalar(1, 'bool')]
  const { name, attributes, outputs } = node
  return applyOperator(graph, 'Dropout', inputs, { name, attributes, outputs }).outputs
}

function float({ attributes }: Node, name: string, otherwise: number): number {
  const value = attributes.get(name)
  return typeof value === 'object' && 'float' in value ? value.float : otherwise
}
