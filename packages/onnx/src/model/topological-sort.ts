import { readsOf } from './branches.ts'
import { describeNode, OnnxError } from './error.ts'
import type { Node } from './model.ts'

/**
 * Sorts nodes topologically. Nodes that are in order already keep their order.
 *
 * @param graphInputs - names of the values that exist before the first node: inputs and initializers.
 * @throws {OnnxError} If two nodes compute one value, a node reads a value that none computes, or
 *   there is a cycle.
 */
export function topologicalSort(
  nodes: readonly Node[],
  graphInputs: Iterable<string>,
): readonly Node[] {
  const available = new Set(['', ...graphInputs])
  const producers = producersOf(nodes, available)
  if (isSorted(nodes, available)) return nodes
  const sorted: Node[] = []
  const missing = new Map<Node, number>()
  const readers = new Map<string, Node[]>()
  for (const node of nodes) {
    const pending = new Set(readsOf(node).filter((input) => !available.has(input)))
    for (const input of pending) {
      if (!producers.has(input))
        throw new OnnxError(`${describeNode(node)}: reads "${input}", which no node computes`)
      readers.set(input, [...(readers.get(input) ?? []), node])
    }
    missing.set(node, pending.size)
    if (pending.size === 0) sorted.push(node)
  }
  // The list grows while it is iterated: each node may complete the inputs of its readers.
  for (const node of sorted)
    for (const reader of node.outputs.flatMap((output) => readers.get(output) ?? [])) {
      const left = (missing.get(reader) ?? 0) - 1
      missing.set(reader, left)
      if (left === 0) sorted.push(reader)
    }
  const stuck = nodes.find((node) => missing.get(node) !== 0)
  if (stuck) throw new OnnxError(`${describeNode(stuck)}: is part of a cycle, or depends on one`)
  return sorted
}

function isSorted(nodes: readonly Node[], graphInputs: ReadonlySet<string>): boolean {
  const available = new Set(graphInputs)
  return nodes.every((node) => {
    const { outputs } = node
    const ready = readsOf(node).every((input) => available.has(input))
    for (const output of outputs) available.add(output)
    return ready
  })
}

/** The node that computes each value. */
function producersOf(
  nodes: readonly Node[],
  graphInputs: ReadonlySet<string>,
): ReadonlyMap<string, Node> {
  const producers = new Map<string, Node>()
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === '') continue
      const other = producers.get(output)
      if (other || graphInputs.has(output))
        throw new OnnxError(
          `${describeNode(node)}: computes "${output}", which ${other ? `${describeNode(other)} computes` : 'is an input or initializer'} already`,
        )
      producers.set(output, node)
    }
  return producers
}
