import { type Expression, type Graph, operands } from '@diffgrad/core'

const infix = { add: '+', sub: '-', mul: '*', div: '/' } as const

/** A graph as the source text of a `Loop`: operation for operation what the rule says, in doubles. */
export function loopSource({ arrays, coefficients, nodes, outputs }: Graph): string {
  const used = uses(nodes)
  const names = new Map<Expression, string>()
  const text = (node: Expression): string => names.get(node) ?? formula(node)
  const formula = (node: Expression): string => {
    switch (node.op) {
      case 'constant':
        return String(node.value)
      case 'coefficient':
        return node.name
      case 'array':
        return `${node.name}[i]`
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
        return `(${text(node.a)} ${infix[node.op]} ${text(node.b)})`
      case 'min':
      case 'max':
        return `Math.${node.op}(${text(node.a)}, ${text(node.b)})`
      case 'sigmoid':
        return `(1 / (1 + Math.exp(-${text(node.a)})))`
      default:
        return `Math.${node.op}(${text(node.a)})`
    }
  }
  const written = new Set(outputs.map(([, node]) => node))
  const lines: string[] = []
  for (const node of nodes) {
    if (node.op === 'constant' || node.op === 'coefficient') continue
    if (node.op !== 'array' && !written.has(node) && (used.get(node) ?? 0) < 2) continue
    const name = node.op === 'array' ? `${node.name}0` : `t${names.size}`
    lines.push(`const ${name} = ${formula(node)}`)
    names.set(node, name)
  }
  for (const [array, node] of outputs) lines.push(`${array}[i] = ${text(node)}`)
  const read = coefficients.filter((name) =>
    nodes.some((node) => node.op === 'coefficient' && node.name === name),
  )
  const scalars = coefficients.map((name) => (read.includes(name) ? name : '')).join(', ')
  const parameters = ['n', `[${arrays.join(', ')}]`, ...(scalars === '' ? [] : [`[${scalars}]`])]
  return `(${parameters.join(', ')}) => {
  for (let i = 0; i < n; i++) {
    ${lines.join('\n    ')}
  }
}`
}

/** How many operations take a node as an operand. */
function uses(nodes: readonly Expression[]): ReadonlyMap<Expression, number> {
  const count = new Map<Expression, number>()
  for (const node of nodes) {
    for (const operand of operands(node)) {
      count.set(operand, (count.get(operand) ?? 0) + 1)
    }
  }
  return count
}
