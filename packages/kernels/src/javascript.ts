import type { Graph } from '@diffgrad/core'
import { javascriptDialect, print } from './printer.ts'

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
