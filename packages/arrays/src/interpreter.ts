import { type Binary, type Expression, type Graph, numbers, type Unary } from '@diffgrad/core'
import type { Loop } from './loop.ts'

/** How many elements are computed at a time: few enough for all intermediate blocks to stay in cache. */
const block = 512

type Block = Float64Array

/**
 * A kernel without any code generation: every node of the graph is computed for a block of elements
 * before the next. In double precision, as all plain-JavaScript loops are, and to the last bit equal
 * to them.
 */
export function interpret({ arrays, coefficients, nodes, outputs }: Graph): Loop {
  const registers = new Map(nodes.map((node) => [node, new Float64Array(block)]))
  const register = (node: Expression): Block => {
    const found = registers.get(node)
    if (!found) throw new TypeError(`an operand of ${node.op} stands outside the graph`)
    return found
  }
  for (const node of nodes) if (node.op === 'constant') register(node).fill(node.value)
  const steps = nodes.flatMap((node) => {
    if ('b' in node) return [binary(node.op, register(node), register(node.a), register(node.b))]
    if ('a' in node) return [unary(node.op, register(node), register(node.a))]
    return []
  })
  const loads = nodes.flatMap((node) =>
    node.op === 'array' ? [{ from: arrays.indexOf(node.name), to: register(node) }] : [],
  )
  const uniforms = nodes.flatMap((node) =>
    node.op === 'coefficient'
      ? [{ from: coefficients.indexOf(node.name), to: register(node) }]
      : [],
  )
  const stores = outputs.map(([name, node]) => ({ from: register(node), to: arrays.indexOf(name) }))

  return (n, values, scalars) => {
    for (const { from, to } of uniforms) to.fill(scalars[from])
    for (let start = 0; start < n; start += block) {
      const end = Math.min(start + block, n)
      for (const { from, to } of loads) to.set(values[from].subarray(start, end))
      for (const step of steps) step(end - start)
      for (const { from, to } of stores) values[to].set(from.subarray(0, end - start), start)
    }
  }
}

function unary(op: Unary, out: Block, a: Block): (n: number) => void {
  const f = numbers[op]
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i])
  }
}

function binary(op: Binary, out: Block, a: Block, b: Block): (n: number) => void {
  const f = numbers[op]
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i], b[i])
  }
}
