import type { Arithmetic } from './arithmetic.ts'

/** One value for each name: an element of each array that a kernel reads, or its coefficients. */
export type Values<T, Name extends string = string> = { readonly [K in Name]: T }

/**
 * One elementwise computation over arrays of equal shape, such as the update of a parameter, a
 * Lookahead synchronization or a clipped gradient. Backends derive their own code from `evaluate`.
 */
export interface Kernel<
  Read extends string = string,
  Write extends string = string,
  Coefficient extends string = string,
> {
  /** The name in error messages and profiles. */
  readonly name: string
  /** The arrays it reads. */
  readonly reads: readonly Read[]
  /** The arrays it writes. One that it also reads is updated in place. */
  readonly writes: readonly Write[]
  /** The scalars that each call passes. */
  readonly coefficients: readonly Coefficient[]
  /** Computes one element of each written array from one element of each array read. */
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

/**
 * Two kernels for coefficients that depend on sums over a parameter. Backends sum what the first one would write over
 * all elements; the second one reads the sums, as the elements of arrays with one element.
 */
export interface SumKernels {
  /** Computes the values that are summed. */
  readonly elements: Kernel
  /** Computes coefficients from the sums, and the next values of those of its coefficients that are scalar state. */
  readonly scalars: Kernel
  /** The names of the scalar state. */
  readonly state: readonly string[]
}
