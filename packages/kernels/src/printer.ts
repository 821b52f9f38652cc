import { type Binary, type Expression, type Graph, operands, type Unary } from '@diffgrad/core'

/** How one language writes the nodes of an expression graph. */
export interface Dialect {
  literal(value: number): string
  /** A statement that computes a value once. */
  declare(name: string, expression: string): string
  /** Prints each operation from its printed operands, as an expression that can be an operand. */
  readonly operations: Readonly<Record<Unary | Binary, (a: string, b: string) => string>>
  /** Whether an operation with a single use is printed inside its user; otherwise it is declared. */
  readonly inline: boolean
}

/** How a program names and reads its inputs. */
export interface Inputs {
  /** The variable that holds one element of an array, and the expression that loads it. */
  load(array: string): readonly [variable: string, expression: string]
  coefficient(name: string): string
}

/** Statements that compute some nodes, operands first. */
export interface Printed {
  readonly statements: readonly string[]
  /** The expression for a node. */
  text(node: Expression): string
}

const infix = {
  add: (a: string, b: string): string => `(${a} + ${b})`,
  sub: (a: string, b: string): string => `(${a} - ${b})`,
  mul: (a: string, b: string): string => `(${a} * ${b})`,
  div: (a: string, b: string): string => `(${a} / ${b})`,
}

/** JavaScript, in double precision. */
const javascriptDialect: Dialect = {
  literal: String,
  declare: (name, expression) => `const ${name} = ${expression}`,
  operations: {
    ...infix,
    min: (a, b) => `Math.min(${a}, ${b})`,
    max: (a, b) => `Math.max(${a}, ${b})`,
    abs: (a) => `Math.abs(${a})`,
    sign: (a) => `Math.sign(${a})`,
    sqrt: (a) => `Math.sqrt(${a})`,
    exp: (a) => `Math.exp(${a})`,
    sigmoid: (a) => `(1 / (1 + Math.exp(-${a})))`,
  },
  inline: true,
}

/** A number as both shading languages write it. */
const decimal = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e6 ? value.toFixed(1) : value.toExponential()

/**
 * What GLSL and WGSL share. `minimum`, `maximum` and `signum` are functions that the program defines, because
 * the built-in ones lose NaN. The exponent of σ is bounded, because not all devices overflow to infinity.
 */
const shaderDialect = (literal: (value: number) => string): Omit<Dialect, 'declare'> => ({
  literal,
  operations: {
    ...infix,
    min: (a, b) => `minimum(${a}, ${b})`,
    max: (a, b) => `maximum(${a}, ${b})`,
    abs: (a) => `abs(${a})`,
    sign: (a) => `signum(${a})`,
    sqrt: (a) => `sqrt(${a})`,
    exp: (a) => `exp(${a})`,
    sigmoid: (a) => `(${literal(1)} / (${literal(1)} + exp(min(-${a}, ${literal(88)}))))`,
  },
  inline: false,
})

/** GLSL, one element or one texel of four at a time. */
export const glslDialect = (type: 'float' | 'vec4'): Dialect => ({
  ...shaderDialect((value) => `${type}(${decimal(value)})`),
  declare: (name, expression) => `${type} ${name} = ${expression};`,
})

export const wgslDialect: Dialect = {
  ...shaderDialect(decimal),
  declare: (name, expression) => `let ${name} = ${expression};`,
}

/** Returns the nodes of a graph that some nodes are computed from, these included, operands first. */
export function dependencies(graph: Graph, roots: readonly Expression[]): readonly Expression[] {
  const needed = new Set<Expression>()
  const visit = (node: Expression): void => {
    if (needed.has(node)) return
    needed.add(node)
    operands(node).forEach(visit)
  }
  roots.forEach(visit)
  return graph.nodes.filter((node) => needed.has(node))
}

/** Prints what computes some nodes of a graph. */
export function print(
  graph: Graph,
  roots: readonly Expression[],
  dialect: Dialect,
  inputs: Inputs,
): Printed {
  const nodes = dependencies(graph, roots)
  const uses = useCounts(nodes)
  const results = new Set(roots)
  const names = new Map<Expression, string>()
  const text = (node: Expression): string => names.get(node) ?? expression(node)
  const expression = (node: Expression): string => {
    switch (node.op) {
      case 'constant':
        return dialect.literal(node.value)
      case 'coefficient':
        return inputs.coefficient(node.name)
      case 'array':
        return inputs.load(node.name)[1]
      default: {
        const [a, b] = operands(node).map(text)
        return dialect.operations[node.op](a, b)
      }
    }
  }
  const isDeclared = (node: Expression): boolean => {
    if (node.op === 'constant' || node.op === 'coefficient') return false
    return node.op === 'array' || !dialect.inline || results.has(node) || (uses.get(node) ?? 0) > 1
  }
  const statements = nodes.filter(isDeclared).map((node) => {
    const name = node.op === 'array' ? inputs.load(node.name)[0] : `t${names.size}`
    const statement = dialect.declare(name, expression(node))
    names.set(node, name)
    return statement
  })
  return { statements, text }
}

/** How many operations take each node as an operand. */
function useCounts(nodes: readonly Expression[]): ReadonlyMap<Expression, number> {
  const counts = new Map<Expression, number>()
  for (const operand of nodes.flatMap(operands)) counts.set(operand, (counts.get(operand) ?? 0) + 1)
  return counts
}

/**
 * Prints a graph as the source text of a `GeneratedKernel`: every operation in double precision, in the
 * order of the graph. The names of its arrays and coefficients must be JavaScript identifiers.
 */
export function javascript(graph: Graph): string {
  const { arrays, coefficients, nodes, outputs } = graph
  const { statements, text } = print(
    graph,
    outputs.map(([, node]) => node),
    javascriptDialect,
    { load: (array) => [`${array}0`, `${array}[i]`], coefficient: (name) => name },
  )
  const stores = outputs.map(([array, node]) => `${array}[i] = ${text(node)}`)
  const read = new Set(nodes.map((node) => (node.op === 'coefficient' ? node.name : undefined)))
  const scalars = coefficients.map((name) => (read.has(name) ? name : '')).join(', ')
  const parameters = ['n', `[${arrays.join(', ')}]`, ...(scalars === '' ? [] : [`[${scalars}]`])]
  return `(${parameters.join(', ')}) => {
  for (let i = 0; i < n; i++) {
    ${[...statements, ...stores].join('\n    ')}
  }
}`
}
