import { type Expression, type Graph, operands } from '@diffgrad/core'

/** How a shading language spells what differs between them. */
export interface Dialect {
  readonly literal: (value: number) => string
  /** One element of an array that was read, by the array's position in the graph. */
  readonly array: (index: number) => string
  readonly coefficient: (index: number) => string
  /** A value that is computed once. */
  readonly declare: (name: string, formula: string) => string
}

/** What it takes to compute some nodes of a graph. */
export interface Formula {
  /** One declaration for each operation, operands first. */
  readonly lines: readonly string[]
  /** What stands for a node. */
  readonly name: (node: Expression) => string
  /** Positions of the arrays and coefficients that are read. */
  readonly arrays: readonly number[]
  readonly coefficients: readonly number[]
}

const infix = { add: '+', sub: '-', mul: '*', div: '/' } as const

/**
 * Nodes of a graph as declarations. `smaller` and `larger` are functions for the program to define: the
 * built-in ones lose NaN. The exponent of σ is cut off before eˣ overflows, which not all devices take
 * for infinity.
 */
export function formula(graph: Graph, wanted: readonly Expression[], dialect: Dialect): Formula {
  const needed = new Set<Expression>()
  const need = (node: Expression): void => {
    if (needed.has(node)) return
    needed.add(node)
    for (const operand of operands(node)) need(operand)
  }
  for (const node of wanted) need(node)
  const nodes = graph.nodes.filter((node) => needed.has(node))
  const names = new Map<Expression, string>()
  const name = (node: Expression): string => names.get(node) ?? leaf(node)
  const leaf = (node: Expression): string => {
    if (node.op === 'constant') return dialect.literal(node.value)
    if (node.op === 'array') return dialect.array(graph.arrays.indexOf(node.name))
    if (node.op === 'coefficient') return dialect.coefficient(graph.coefficients.indexOf(node.name))
    throw new TypeError(`an operand of ${node.op} stands outside the graph`)
  }
  const spelled = (node: Expression): string => {
    const [a, b] = operands(node).map(name)
    switch (node.op) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
        return `${a} ${infix[node.op]} ${b}`
      case 'min':
        return `smaller(${a}, ${b})`
      case 'max':
        return `larger(${a}, ${b})`
      case 'sigmoid':
        return `${dialect.literal(1)} / (${dialect.literal(1)} + exp(min(-${a}, ${dialect.literal(88)})))`
      default:
        return `${node.op}(${a})`
    }
  }
  const operations = nodes.filter((node) => operands(node).length > 0)
  const lines = operations.map((node, i) => {
    const line = dialect.declare(`t${i}`, spelled(node))
    names.set(node, `t${i}`)
    return line
  })
  const positions = (op: 'array' | 'coefficient', list: readonly string[]): readonly number[] =>
    nodes.flatMap((node) => (node.op === op ? [list.indexOf(node.name)] : []))
  return {
    lines,
    name,
    arrays: positions('array', graph.arrays),
    coefficients: positions('coefficient', graph.coefficients),
  }
}

/** A number as both languages write it. */
export const decimal = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e6 ? value.toFixed(1) : value.toExponential()
