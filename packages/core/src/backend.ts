import type { Kernel, SumKernels, Values } from './kernel.ts'
import { describe, isPlainObject } from './ranges.ts'

/** The elements of an array in a state dict. */
export type SavedArray = Float32Array | Float64Array

/**
 * Arrays by name: for each name, one array per parameter. All lists have the same length and order,
 * and the arrays at one position have the same shape.
 */
export type ArrayLists<T> = Readonly<Record<string, readonly T[]>>

/**
 * What an adapter implements: arrays `T` that can be changed in place, and kernels that run on them.
 * Parameter groups, step counters, schedules and state dicts belong to the optimizer. `S` is the copy
 * of an array that a state dict holds.
 */
export interface Backend<T, S = SavedArray> {
  /**
   * The reason why a gradient does not fit its parameter, as an error message continues after "the
   * gradient of w", or undefined if it fits.
   */
  mismatch(parameter: T, gradient: unknown): string | undefined
  /**
   * Allocates the optimizer state of one parameter group: for each name, zero-filled arrays shaped like
   * each of `like`. Called once per group, so that a backend can place the arrays together, and again if
   * a parameter is replaced or a state with other transforms is loaded.
   */
  zeros(like: readonly T[], names: readonly string[]): ArrayLists<T>
  /**
   * The reason why a gradient cannot be read while parameters and states change, as `mismatch` does: it
   * shares memory with one of them. Without this method, only the parameters themselves are refused. Not
   * called again for a gradient of the previous call while the parameters stay the same.
   */
  overlap?(gradient: T): string | undefined
  /**
   * Whether an array can neither lose its elements nor get others of another number, so that `mismatch`
   * need not be called again for a gradient of the previous call while the parameters stay the same.
   */
  isFixed?(array: T): boolean
  /**
   * Releases arrays of `zeros` that are no longer used, because a parameter was removed or replaced.
   *
   * @param parameters - the arrays that are no longer parameters.
   */
  free?(arrays: readonly T[], parameters: readonly T[]): void
  /**
   * Allocates temporary zero-filled arrays shaped like each of `like`, valid until the current call of
   * the optimizer returns.
   */
  scratch(like: readonly T[], names: readonly string[]): ArrayLists<T>
  /**
   * Runs a kernel over the arrays at each position of the lists, with the same coefficients for all.
   * The same list objects always hold the same arrays, so a backend may cache what it derives from them.
   *
   * @param t - the step of an update, from 1, for maintenance that is due every few steps.
   */
  apply(
    kernel: Kernel,
    lists: ArrayLists<T>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void
  /**
   * Sums what a kernel would write over all elements of the arrays at each position: for each written name, one
   * number a position. In double precision, and in the same order whatever the number of threads. Changes no
   * array. Without this method and `applyWithSums`, rules with sums are refused.
   */
  sums?(
    kernel: Kernel,
    lists: ArrayLists<T>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>>
  /** For devices where reading `sums` would stall; without it, the optimizer reads them. */
  readonly applyWithSums?: ApplyWithSums<T> | undefined
  /** The Euclidean norm of all elements; not finite if and only if an element is not. */
  norm(array: T): number
  /**
   * Scales arrays in place so that the norm of all of them together is at most `limit`. A norm that is
   * not finite makes every element NaN. For devices where reading a `norm` would stall; without this
   * method, the optimizer reads the norms.
   */
  clipByGlobalNorm?(arrays: readonly T[], limit: number): void
  /** Subtracts from an array of two axes or more its mean over all axes but the first, in place. */
  centralize(array: T, shape: readonly number[]): void
  /** A copy of the elements. */
  read(array: T): S
  /** Replaces all elements. */
  write(array: T, elements: S): void
  /**
   * The elements of an array, in memory of the CPU, to be exchanged with other ranks: its own or a copy.
   * A backend without this method and `fromHost` has one rank only.
   */
  toHost?(array: T): SavedArray
  /** Replaces the elements of an array by those that `toHost` returned for it and that were changed since. */
  fromHost?(array: T, elements: SavedArray): void
  /** The kind and size of a saved array, as error messages show it; equal if both are equal. */
  signature(saved: S | undefined): string
}

/**
 * Runs a kernel as `Backend.apply` does, after the kernels of the sums that some of its coefficients depend on, in
 * their order and for each position alone.
 *
 * @param coefficients - those that depend on no sums.
 * @param scalars - the scalar state before the step. If sums change it, there is one position.
 * @param t - the step of an update, from 1; without it, the scalar state stays as it is.
 * @returns the scalar state after the step. Its numbers may be known later, but before the state is saved.
 */
export type ApplyWithSums<T> = (
  sums: readonly SumKernels[],
  kernel: Kernel,
  lists: ArrayLists<T>,
  coefficients: Readonly<Record<string, number>>,
  scalars: Values<number>,
  t?: number,
) => Values<number>

/** The kind and length of a typed array: `Float32Array(3)`. State that went through JSON has none. */
export const arraySignature = (saved: SavedArray | undefined): string =>
  isPlainObject(saved) ? 'an object that is not a typed array' : describe(saved)
