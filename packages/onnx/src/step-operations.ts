import type { Kernel, SumKernels } from '@diffgrad/core'

/** A kernel on arrays of some parameters. */
export interface KernelOperation {
  readonly kernel: Kernel
  /** The names of the parameters. */
  readonly parameters: Iterable<string>
  /**
   * The array of each parameter that the kernel reads or writes under a name. By default the array has that
   * name: `theta` is the parameter, `g` its gradient, all else optimizer state.
   */
  readonly arrays?: Readonly<Record<string, string>>
  /** What computes the coefficients that depend on sums over each parameter, in this order. */
  readonly sums?: readonly SumKernels[]
}

/** A transform of one array of some parameters that is not elementwise. */
export interface TransformOperation {
  /**
   * `centralize` subtracts the mean over all axes but the first. `clip` scales the arrays so that their
   * norm together is at most the coefficient `limit`; a norm that is not finite makes every element NaN.
   */
  readonly transform: 'centralize' | 'clip'
  readonly parameters: Iterable<string>
  readonly array: string
}

/** A part of an update. Operations run in their order. */
export type StepOperation = KernelOperation | TransformOperation

/** The key of an array of a parameter: `theta` or the name of its optimizer state. */
export const arrayKey = (parameter: string, array: string): string => `${array}\n${parameter}`
