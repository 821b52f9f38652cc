import type { Arithmetic } from './arithmetic.ts'

/** The elements of some arrays, or the scalars of a step, by name. */
export type Values<T> = Readonly<Record<string, T>>

/**
 * One elementwise computation over arrays that lie side by side: an optimizer's whole update of a
 * parameter, a move of Lookahead, a clipped gradient. Every backend runs it in its own way, from the
 * one `evaluate`.
 */
export interface Kernel {
  /** What error messages and profiles call it. */
  readonly name: string
  /** The arrays it reads. */
  readonly reads: readonly string[]
  /** The arrays it writes. One that it also reads is updated in place. */
  readonly writes: readonly string[]
  /** The scalars it is given anew at every call. */
  readonly coefficients: readonly string[]
  /** Computes what is written, from one element of each array read. */
  evaluate<T>(arithmetic: Arithmetic<T>, values: Values<T>, coefficients: Values<T>): Values<T>
}
