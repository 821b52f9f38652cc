import type { Kernel } from './kernel.ts'

/** What is saved of an array. */
export type Saved = Float32Array | Float64Array

/** Arrays side by side: one list for each array name, all lists in the same order. */
export type Lists<T> = Readonly<Record<string, readonly T[]>>

/**
 * What an adapter provides: arrays `T` that can be changed in place, and ways to run kernels over
 * them. Groups, counters, schedules and state are the optimizer's; of the mathematics, an adapter has two
 * reductions. `S` is what it saves of an array.
 */
export interface Backend<T, S = Saved> {
  /**
   * Why a gradient does not fit its parameter, to follow "the gradient of w" in an error message; or
   * nothing, if it fits.
   */
  mismatch(parameter: T, gradient: unknown): string | undefined
  /**
   * Memory for one parameter group: for each name, one array of zeros like each of `like`. Called
   * once a group, so that all may lie together.
   */
  zeros(like: readonly T[], names: readonly string[]): Lists<T>
  /** Arrays of zeros like each of `like`, for a moment: by no means as lasting as a group's. */
  scratch(like: readonly T[], names: readonly string[]): Lists<T>
  /**
   * Runs a kernel over the arrays of each position of the lists; coefficients are the same for all.
   * Lists that are the same objects as before hold the same arrays.
   *
   * @param t - which step an update is, from 1, for upkeep that is due every so many steps.
   */
  apply(
    kernel: Kernel,
    lists: Lists<T>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void
  /** The Euclidean norm of all elements; not finite if, and only if, one of them is not. */
  norm(array: T): number
  /**
   * Scales arrays so that the norm of all together is at most `limit`; one that is not finite leaves
   * none of them finite throughout. In place. For devices that would be held up by reading a `norm`:
   * without it, the optimizer reads one.
   */
  limitNorm?(arrays: readonly T[], limit: number): void
  /** Subtracts from each row, along all axes but the first, its mean. In place. */
  centralize(array: T, shape: readonly number[]): void
  /** A copy of the elements. */
  read(array: T): S
  /** Replaces all elements. */
  write(array: T, elements: S): void
  /** What was saved, in the words of an error message: equal words, equal kind and size. */
  describe(saved: S | undefined): string
}

/** What was saved, by its kind and length: `Float32Array(3)`. */
export const describeSaved = (saved: Saved | undefined): string =>
  `${saved?.constructor?.name}(${saved?.length})`
