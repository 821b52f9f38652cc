import type { Graph } from '@diffgrad/core'
import { fingerprint } from '../fingerprint.ts'
import { type KernelForm, kernelBytes } from './kernel.ts'
import { exportName, importName } from './module.ts'

/** A kernel over a memory: where its arguments lie in it, the first element, how many elements. */
export type WasmKernel = (block: number, from: number, count: number) => void

const modules = new Map<string, WebAssembly.Module>()

/** The compiled kernel of a graph. Every kernel is compiled once in a process. */
export function compile(graph: Graph, form: KernelForm): WebAssembly.Module {
  const key = `${fingerprint(graph)} ${Object.values(form)}`
  const module = modules.get(key) ?? new WebAssembly.Module(kernelBytes(graph, form))
  modules.set(key, module)
  return module
}

/** A compiled kernel that works on a memory. */
export function bind(module: WebAssembly.Module, memory: WebAssembly.Memory): WasmKernel {
  const { exports } = new WebAssembly.Instance(module, { '': { [importName]: memory } })
  return exports[exportName] as WasmKernel // What `kernelModule` exports.
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
  return { name: 'probe', arrays: ['x', 'y'], coefficients: [], nodes, outputs: [['y', sum]] }
})()
