import type { Arithmetic } from './arithmetic.ts'

/** The elements of some arrays, or the scalars of a step, by name. */
export type Values<T, Name extends string = string> = { readonly [K in Name]: T }

/**
 * One elementwise computation over arrays that lie side by side: an optimizer's whole update of a
 * parameter, a move of Lookahead, a clipped gradient. Every backend runs it in its own way, from the
 * one `evaluate`.
 */
export interface Kernel<
  Read extends string = string,
  Write extends string = string,
  Coefficient extends string = string,
> {
  /** What error messages and profiles call it. */
  readonly name: string
  /** The arrays it reads. */
  readonly reads: readonly Read[]
  /** The arrays it writes. One that it also reads is updated in place. */
  readonly writes: readonly Write[]
  /** The scalars it is given anew at every call. */
  readonly coefficients: readonly Coefficient[]
  /** Computes what is written, from one element of each array read. */
  evaluate<T>(
    arithmetic: Arithmetic<T>,
    values: Values<T, Read>,
    coefficients: Values<T, Coefficient>,
  ): Values<T, Write>
}

/** Declares a kernel, with the names of its arrays and coefficients inferred. */
export const defineKernel = <
  const Read extends string,
  const Write extends string,
  const Coefficient extends string,
>(
  kernel: Kernel<Read, Write, Coefficient>,
): Kernel<Read, Write, Coefficient> => kernel
