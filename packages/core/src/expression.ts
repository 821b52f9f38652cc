import type { Arithmetic } from './arithmetic.ts'
import type { Kernel, Values } from './kernel.ts'

/** An operation of one operand. */
export type Unary = 'abs' | 'sqrt' | 'exp' | 'sigmoid'
/** An operation of two operands. */
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max'

/** A node of an expression graph: a leaf, or an operation on other nodes. */
export type Expression =
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: 'array' | 'coefficient'; readonly name: string }
  | { readonly op: Unary; readonly a: Expression }
  | { readonly op: Binary; readonly a: Expression; readonly b: Expression }

/** A kernel as data: what code generators read. */
export interface Graph {
  readonly name: string
  /** The arrays that the computation touches, read or written, in the kernel's own order. */
  readonly arrays: readonly string[]
  /** Those whose elements are read, and those whose elements are written. */
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
  readonly coefficients: readonly string[]
  /** Operands before what is computed from them; no node twice, none that no output needs. */
  readonly nodes: readonly Expression[]
  /** Which node each written array takes its new elements from. */
  readonly outputs: readonly (readonly [array: string, node: Expression])[]
}

/** The nodes that one node is computed from. */
export const operands = (node: Expression): readonly Expression[] =>
  'b' in node ? [node.a, node.b] : 'a' in node ? [node.a] : []

/**
 * Writes a kernel down as an expression graph. Equal expressions become one node (hash-consing), so
 * nothing is computed twice, however the rule is written.
 */
export function trace(kernel: Kernel): Graph {
  const graph = traced.get(kernel) ?? traceAnew(kernel)
  traced.set(kernel, graph)
  return graph
}

const traced = new WeakMap<Kernel, Graph>()

function traceAnew(kernel: Kernel): Graph {
  const written = kernel.evaluate(
    expressions(),
    leaves('array', kernel.reads),
    leaves('coefficient', kernel.coefficients),
  )
  const outputs = kernel.writes.map((array) => {
    const node = written[array]
    if (node === undefined) throw new TypeError(`${kernel.name}: writes no ${array}`)
    return [array, node] as const
  })
  const nodes = inOrder(outputs.map(([, node]) => node))
  const reads = new Set(nodes.flatMap((node) => (node.op === 'array' ? [node.name] : [])))
  const writes = new Set(kernel.writes)
  return {
    name: kernel.name,
    arrays: [...new Set([...kernel.reads, ...kernel.writes])].filter(
      (name) => reads.has(name) || writes.has(name),
    ),
    reads,
    writes,
    coefficients: kernel.coefficients,
    nodes,
    outputs,
  }
}

/** The graph's equations in one canonical text: equal text, equal computation. */
export function canonical({ arrays, coefficients, nodes, outputs }: Graph): string {
  const position = new Map(nodes.map((node, i) => [node, i]))
  const line = (node: Expression): string => {
    if (node.op === 'constant') return String(node.value)
    if (node.op === 'array' || node.op === 'coefficient') return `${node.op} ${node.name}`
    return `${node.op} ${operands(node).map((operand) => position.get(operand))}`
  }
  return [
    `${arrays} | ${coefficients}`,
    ...nodes.map(line),
    ...outputs.map(([array, node]) => `${array} = ${position.get(node)}`),
  ].join('\n')
}

/** Arithmetic on expressions in which equal operations on the same nodes are the same node. */
function expressions(): Arithmetic<Expression> {
  const identity = new Map<Expression, number>()
  const known = new Map<string, Expression>()
  const unique = (node: Expression): Expression => {
    const leaf = 'value' in node ? node.value : 'name' in node ? node.name : ''
    const key = `${node.op} ${leaf} ${operands(node).map(number)}`
    const found = known.get(key) ?? node
    known.set(key, found)
    return found
  }
  const number = (node: Expression): number => {
    const found = identity.get(node) ?? identity.size
    identity.set(node, found)
    return found
  }
  const unary =
    (op: Unary) =>
    (a: Expression): Expression =>
      unique({ op, a })
  const binary =
    (op: Binary) =>
    (a: Expression, b: Expression): Expression =>
      unique({ op, a, b })
  const mul = binary('mul')
  return {
    constant: (value) => unique({ op: 'constant', value }),
    add: binary('add'),
    sub: binary('sub'),
    mul,
    div: binary('div'),
    min: binary('min'),
    max: binary('max'),
    abs: unary('abs'),
    square: (a) => mul(a, a),
    sqrt: unary('sqrt'),
    exp: unary('exp'),
    sigmoid: unary('sigmoid'),
  }
}

const leaves = (op: 'array' | 'coefficient', names: readonly string[]): Values<Expression> =>
  Object.fromEntries(names.map((name) => [name, { op, name }]))

/** All nodes that `roots` need, operands first. */
function inOrder(roots: readonly Expression[]): readonly Expression[] {
  const seen = new Set<Expression>()
  const visit = (node: Expression): void => {
    if (seen.has(node)) return
    for (const operand of operands(node)) visit(operand)
    seen.add(node)
  }
  for (const root of roots) visit(root)
  return [...seen]
}
