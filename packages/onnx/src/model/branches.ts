import { clone, fromBinary } from '@bufbuild/protobuf'
import { describeNode, OnnxError } from './error.ts'
import type { Branch, Node } from './model.ts'
import { isOperator } from './node.ts'
import {
  type AttributeProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from './onnx_pb.ts'

/** How deep an If may lie in branches of others. */
const maxDepth = 32

/** The attributes of an If that are its branches. */
const branchNames = ['then_branch', 'else_branch'] as const

/** What the branches of a model share. */
export interface BranchScope {
  /** Reads a node without its branches. */
  readonly readNode: (message: NodeProto) => Node
  /** Moves the initializers of a branch to those of the model, under the names that `rename` returns. */
  readonly hoist: (graph: GraphProto, rename: (name: string) => string) => void
  /** Returns a name that no value of the model has. */
  readonly freshName: (name: string) => string
}

/**
 * Reads a node and, if it is an If, its branches. All values that a branch computes get names that no
 * other value of the model has, so that a branch can take the place of its node.
 *
 * @throws {OnnxError} If a branch is missing or cannot be read, or another operator has a subgraph.
 */
export function readWithBranches(
  message: NodeProto,
  scope: BranchScope,
  outer: ReadonlyMap<string, string> = new Map(),
  depth = 0,
): Node {
  const renamed = withNames(message, outer)
  const isIf = message.opType === 'If' && (message.domain === '' || message.domain === 'ai.onnx')
  if (!isIf) return withMessage(scope.readNode(renamed), message)
  const isBranch = ({ name }: AttributeProto): boolean => branchNames.some((one) => one === name)
  const plain = clone(NodeProtoSchema, renamed)
  plain.attribute = plain.attribute.filter((one) => !isBranch(one))
  const node = withMessage(scope.readNode(plain), message)
  if (depth > maxDepth)
    throw new OnnxError(`${describeNode(node)}: must lie in at most ${maxDepth} branches`)
  const [then, otherwise] = branchNames.map((name): Branch => {
    const bytes = message.attribute.find((one) => one.name === name)?.g
    if (!bytes) throw new OnnxError(`${describeNode(node)}: must have a graph "${name}"`)
    return readBranch(parse(bytes, node), scope, outer, depth + 1)
  })
  return then && otherwise ? { ...node, branches: { then, otherwise } } : node
}

/** The message in the file, not a copy with other names. */
const withMessage = (node: Node, message: NodeProto): Node => ({ ...node, message })

/** A node with other names of values, in a copy if there are any. */
function withNames(message: NodeProto, names: ReadonlyMap<string, string>): NodeProto {
  if (names.size === 0) return message
  const renamed = clone(NodeProtoSchema, message)
  renamed.input = message.input.map((name) => names.get(name) ?? name)
  renamed.output = message.output.map((name) => names.get(name) ?? name)
  return renamed
}

function parse(bytes: Uint8Array, node: Node): GraphProto {
  try {
    return fromBinary(GraphProtoSchema, bytes)
  } catch (cause) {
    throw new OnnxError(`${describeNode(node)}: a branch is no graph`, { cause })
  }
}

function readBranch(
  graph: GraphProto,
  scope: BranchScope,
  outer: ReadonlyMap<string, string>,
  depth: number,
): Branch {
  const names = new Map(outer)
  const define = (name: string): string => {
    const fresh = name === '' ? '' : scope.freshName(name)
    names.set(name, fresh)
    return fresh
  }
  scope.hoist(graph, define)
  for (const { output } of graph.node) for (const name of output) define(name)
  const nodes = graph.node.map((node) => readWithBranches(node, scope, names, depth))
  return { nodes, outputs: graph.output.map(({ name }) => names.get(name) ?? name) }
}

/** All nodes, each before those of its branches. */
export const allNodes = (nodes: readonly Node[]): readonly Node[] =>
  nodes.flatMap((node) =>
    node.branches
      ? [node, ...allNodes(node.branches.then.nodes), ...allNodes(node.branches.otherwise.nodes)]
      : [node],
  )

/** A node with its branches mapped; the same node if they are the same. */
export function mapBranches(node: Node, map: (nodes: readonly Node[]) => readonly Node[]): Node {
  const { branches } = node
  if (!branches || !isOperator(node, 'If')) return node
  const [then, otherwise] = [branches.then, branches.otherwise].map((branch) => {
    const nodes = map(branch.nodes)
    const isSame =
      nodes.length === branch.nodes.length && nodes.every((one, i) => one === branch.nodes[i])
    return isSame ? branch : { ...branch, nodes }
  })
  if (!then || !otherwise || (then === branches.then && otherwise === branches.otherwise))
    return node
  return { ...node, branches: { then, otherwise } }
}

/** All values that a node or its branches read from outside of them. */
export function readsOf(node: Node): readonly string[] {
  if (!node.branches) return node.inputs
  const within = allNodes([node]).slice(1)
  const computed = new Set(within.flatMap(({ outputs }) => outputs))
  const { then, otherwise } = node.branches
  const read = [...within.flatMap(({ inputs }) => inputs), ...then.outputs, ...otherwise.outputs]
  return [...node.inputs, ...read.filter((name) => !computed.has(name))]
}
