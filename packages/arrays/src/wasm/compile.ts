import type { Graph } from '@diffgrad/core'
import { fingerprint } from '../fingerprint.ts'
import { type KernelForm, kernelBytes } from './kernel.ts'

/** A kernel's module, as it was written and as it can be run. */
export interface Compiled {
  readonly code: Uint8Array<ArrayBuffer>
  readonly module: WebAssembly.Module
}

const known = new Map<string, Compiled>()

/** The compiled kernel of a graph. Every kernel is compiled once in a process. */
export function compile(graph: Graph, form: KernelForm): Compiled {
  const { dtype, relaxed, shared, flush } = form
  const key = `${fingerprint(graph)} ${dtype} ${relaxed} ${shared} ${flush}`
  const found = known.get(key)
  if (found) return found
  const code = kernelBytes(graph, form)
  const compiled = { code, module: new WebAssembly.Module(code) }
  known.set(key, compiled)
  return compiled
}

/**
 * Whether kernels can run here. Only compiling one tells: where a content security policy forbids
 * it, validating the same bytes still succeeds.
 */
export function compiles(relaxed: boolean): boolean {
  try {
    compile(probe, { dtype: 'float32', relaxed, shared: false, flush: false })
    return true
  } catch {
    return false
  }
}

/** y ← x·x + x, a product in a sum: with relaxed SIMD, a fused instruction. */
const probe: Graph = (() => {
  const x = { op: 'array', name: 'x' } as const
  const square = { op: 'mul', a: x, b: x } as const
  const sum = { op: 'add', a: square, b: x } as const
  const nodes = [x, square, sum]
  const [reads, writes] = [new Set(['x']), new Set(['y'])]
  return {
    name: 'probe',
    arrays: ['x', 'y'],
    reads,
    writes,
    coefficients: [],
    nodes,
    outputs: [['y', sum]],
  }
})()
