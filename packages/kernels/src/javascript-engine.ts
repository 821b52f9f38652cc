import {
  type ArrayLists,
  type Binary,
  type Expression,
  type Graph,
  type Kernel,
  memoized,
  numbers,
  trace,
  type Unary,
} from '@diffgrad/core'
import { fingerprint, type GeneratedKernel, type GeneratedKernels } from './generated-kernels.ts'
import { sumsByName, sumsOf } from './sums.ts'
import type { FloatArray } from './typed-arrays.ts'

/** Runs kernels without WebAssembly: those generated at build time, others by `interpret`. */
export class JavaScriptEngine {
  readonly tier: 'javascript' | 'interpreter'
  readonly threads = 1
  readonly ready: Promise<void> = Promise.resolve()
  readonly #functionFor: (graph: Graph) => GeneratedKernel

  constructor(tier: 'javascript' | 'interpreter', generated: GeneratedKernels) {
    this.tier = tier
    this.#functionFor = memoized((graph) => {
      const key = fingerprint(graph)
      return Object.hasOwn(generated, key) ? generated[key] : interpret(graph)
    })
  }

  startThreads(): void {}

  run(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    const graph = trace(kernel)
    const compute = this.#functionFor(graph)
    const arrays = graph.arrays.map((name) => lists[name])
    const scalars = graph.coefficients.map((name) => coefficients[name])
    for (const [i, { length }] of arrays[0].entries()) {
      compute(
        length,
        arrays.map((list) => list[i]),
        scalars,
      )
    }
  }

  sums(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>> {
    return sumsByName(kernel, lists, coefficients, (...call) => this.sumsOf(...call))
  }

  /**
   * Sums over one array each, in double precision, in the order of the outputs.
   *
   * @param arrays - those of the graph, in its order; undefined for the written ones.
   */
  sumsOf(
    graph: Graph,
    arrays: readonly (FloatArray | undefined)[],
    coefficients: readonly number[],
  ): readonly number[] {
    return sumsOf(graph, this.#functionFor(graph), arrays, coefficients)
  }

  dispose(): void {}
}

/** How many elements are computed at a time, so that all intermediate values stay in the cache. */
const blockLength = 512

/**
 * Returns a graph as a function without generating code: computes each node for a block of elements
 * before the next node. In double precision, and bit for bit equal to the generated kernels.
 */
function interpret({ arrays, coefficients, nodes, outputs }: Graph): GeneratedKernel {
  const registers = new Map(nodes.map((node) => [node, new Float64Array(blockLength)]))
  const register = (node: Expression): Float64Array => {
    const found = registers.get(node)
    if (!found) throw new TypeError(`an operand of ${node.op} is not a node of the graph`)
    return found
  }
  for (const node of nodes) if (node.op === 'constant') register(node).fill(node.value)
  const operations = nodes.flatMap((node) => {
    if ('b' in node) return [binary(node.op, register(node), register(node.a), register(node.b))]
    if ('a' in node) return [unary(node.op, register(node), register(node.a))]
    return []
  })
  const loads = nodes.flatMap((node) =>
    node.op === 'array' ? [{ from: arrays.indexOf(node.name), to: register(node) }] : [],
  )
  const scalars = nodes.flatMap((node) =>
    node.op === 'coefficient'
      ? [{ from: coefficients.indexOf(node.name), to: register(node) }]
      : [],
  )
  const stores = outputs.map(([name, node]) => ({ from: register(node), to: arrays.indexOf(name) }))

  return (n, values, coefficients) => {
    for (const { from, to } of scalars) to.fill(coefficients[from])
    for (let start = 0; start < n; start += blockLength) {
      const end = Math.min(start + blockLength, n)
      for (const { from, to } of loads) to.set(values[from].subarray(start, end))
      for (const compute of operations) compute(end - start)
      for (const { from, to } of stores) values[to].set(from.subarray(0, end - start), start)
    }
  }
}

function unary(op: Unary, out: Float64Array, a: Float64Array): (n: number) => void {
  const f = numbers[op]
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i])
  }
}

function binary(
  op: Binary,
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
): (n: number) => void {
  const f = numbers[op]
  return (n) => {
    for (let i = 0; i < n; i++) out[i] = f(a[i], b[i])
  }
}
