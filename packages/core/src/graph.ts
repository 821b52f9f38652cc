import type { Arithmetic } from './arithmetic.ts'
import type { Kernel, Values } from './kernel.ts'
import { memoized } from './memoized.ts'

/** An operation of one operand. */
export type Unary = 'abs' | 'sign' | 'sqrt' | 'exp' | 'sigmoid'
/** An operation of two operands. */
export type Binary = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max'

/** A node of an expression graph: a leaf, or an operation on other nodes. */
export type Expression =
  | { readonly op: 'constant'; readonly value: number }
  | { readonly op: 'array' | 'coefficient'; readonly name: string }
  | { readonly op: Unary; readonly a: Expression }
  | { readonly op: Binary; readonly a: Expression; readonly b: Expression }

/** A kernel as data, for code generators. */
export interface Graph {
  readonly name: string
  /** The arrays read or written, in the kernel's order. */
  readonly arrays: readonly string[]
  /** The arrays whose elements the outputs depend on. */
  readonly reads: ReadonlySet<string>
  readonly writes: ReadonlySet<string>
  readonly coefficients: readonly string[]
  /** In topological order, operands first. Each node is unique and needed by an output. */
  readonly nodes: readonly Expression[]
  /** The node whose value each written array receives. */
  readonly outputs: readonly (readonly [array: string, node: Expression])[]
}

/** The operands of a node, in order. */
export const operands = (node: Expression): readonly Expression[] =>
  'b' in node ? [node.a, node.b] : 'a' in node ? [node.a] : []

/**
 * The expression graph of a kernel. Equal expressions become one node (hash-consing), so common
 * subexpressions are computed once, and dead code is dropped.
 */
export const trace: (kernel: Kernel) => Graph = memoized((kernel) => {
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
  const nodes = topologicallySorted(outputs.map(([, node]) => node))
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
})

/** The graph in a canonical text form: equal texts mean equal computations. */
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

/** Arithmetic that builds nodes: equal operations on the same nodes return the same node. */
function expressions(): Arithmetic<Expression> {
  const ids = new Map<Expression, number>()
  const nodes = new Map<string, Expression>()
  const unique = (node: Expression): Expression => {
    const leaf = 'value' in node ? node.value : 'name' in node ? node.name : ''
    const key = `${node.op} ${leaf} ${operands(node).map(id)}`
    const existing = nodes.get(key) ?? node
    nodes.set(key, existing)
    return existing
  }
  const id = (node: Expression): number => {
    const existing = ids.get(node) ?? ids.size
    ids.set(node, existing)
    return existing
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
    sign: unary('sign'),
    square: (a) => mul(a, a),
    sqrt: unary('sqrt'),
    exp: unary('exp'),
    sigmoid: unary('sigmoid'),
  }
}

const leaves = (op: 'array' | 'coefficient', names: readonly string[]): Values<Expression> =>
  Object.fromEntries(names.map((name) => [name, { op, name }]))

/** All nodes that `roots` depend on, operands first. */
function topologicallySorted(roots: readonly Expression[]): readonly Expression[] {
  const sorted = new Set<Expression>()
  const visit = (node: Expression): void => {
    if (sorted.has(node)) return
    for (const operand of operands(node)) visit(operand)
    sorted.add(node)
  }
  for (const root of roots) visit(root)
  return [...sorted]
}
