import { canonical, type Graph, memoized } from '@diffgrad/core'
import type { FloatArray } from './typed-arrays.ts'

/**
 * A kernel as a JavaScript function: for each i below n, computes all outputs from element i of the
 * arrays, then stores them. Arrays and coefficients are in the order of the kernel's graph.
 */
export type GeneratedKernel = (
  n: number,
  arrays: readonly FloatArray[],
  coefficients: readonly number[],
) => void

/** Kernels that were generated at build time, by the fingerprint of their graph. */
export type GeneratedKernels = Readonly<Record<string, GeneratedKernel>>

/**
 * Hashes the equations of a graph, and nothing else (64-bit FNV-1a). A changed rule has another
 * fingerprint, so it never runs a kernel that was generated before the change.
 */
export const fingerprint: (graph: Graph) => string = memoized((graph) => fnv1a(canonical(graph)))

function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (const character of text) {
    hash = ((hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n) & 0xffffffffffffffffn
  }
  return hash.toString(16).padStart(16, '0')
}
