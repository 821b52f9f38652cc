import type { Floats } from './floats.ts'

/**
 * A kernel over one set of arrays: for each i below n, computes all outputs from element i of the
 * arrays, then stores them. Arrays and coefficients are in the order of the kernel's graph.
 */
export type Loop = (n: number, arrays: readonly Floats[], coefficients: readonly number[]) => void

/** Loops made at build time, by the fingerprint of their graph. */
export type LoopTable = Readonly<Record<string, Loop>>
