import { OnnxError } from '../error.ts'
import type { Node } from './model.ts'
import { describeNode } from './node.ts'

/**
 * Puts nodes into an order in which they can run; one that is right already is kept.
 * @throws {OnnxError} When two nodes make the same value, one reads what nobody makes, or some wait for each other.
 */
export function inOrder(nodes: readonly Node[], given: Iterable<string>): readonly Node[] {
  const known = new Set(['', ...given])
  const makers = makersOf(nodes, known)
  if (isOrdered(nodes, known)) return nodes
  const order: Node[] = []
  const missing = new Map<Node, number>()
  const waiting = new Map<string, Node[]>()
  for (const node of nodes) {
    const open = new Set(node.inputs.filter((input) => !known.has(input)))
    for (const input of open) {
      if (!makers.has(input))
        throw new OnnxError(`${describeNode(node)}: reads "${input}", which nothing makes`)
      waiting.set(input, [...(waiting.get(input) ?? []), node])
    }
    missing.set(node, open.size)
    if (open.size === 0) order.push(node)
  }
  // The list grows while it is walked: each node may set free the ones that wait for it.
  for (const node of order)
    for (const reader of node.outputs.flatMap((output) => waiting.get(output) ?? [])) {
      const left = (missing.get(reader) ?? 0) - 1
      missing.set(reader, left)
      if (left === 0) order.push(reader)
    }
  const stuck = nodes.find((node) => missing.get(node) !== 0)
  if (stuck) throw new OnnxError(`${describeNode(stuck)}: is part of a cycle, or waits for one`)
  return order
}

function isOrdered(nodes: readonly Node[], given: ReadonlySet<string>): boolean {
  const known = new Set(given)
  return nodes.every(({ inputs, outputs }) => {
    const ready = inputs.every((input) => known.has(input))
    for (const output of outputs) known.add(output)
    return ready
  })
}

function makersOf(nodes: readonly Node[], given: ReadonlySet<string>): ReadonlyMap<string, Node> {
  const makers = new Map<string, Node>()
  for (const node of nodes)
    for (const output of node.outputs) {
      if (output === '') continue
      const other = makers.get(output)
      if (other || given.has(output))
        throw new OnnxError(
          `${describeNode(node)}: makes "${output}", which ${other ? `${describeNode(other)} makes` : 'the graph is given'} already`,
        )
      makers.set(output, node)
    }
  return makers
}
