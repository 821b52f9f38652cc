import type { SavedArray } from './backend.ts'
import type { Hyperparameters } from './rule.ts'
import type { GroupGradients } from './update.ts'

// What an optimizer needs of other ranks whether there are any or not. The rest is in ranks.ts, which only
// programs with a communicator load.

/** Adds arrays of several ranks. */
export interface Sums {
  /**
   * Replaces arrays by their sums over all ranks, in place. Each rank passes arrays of the same types and
   * lengths, and gets the same bits.
   *
   * @throws Error on every rank if the arrays differ.
   */
  sumSync(arrays: readonly SavedArray[]): void
  /** As `sumSync`, without blocking the event loop. */
  sum(arrays: readonly SavedArray[]): Promise<void>
}

/** A computation of several ranks: it yields arrays, and continues when they hold their sums over all ranks. */
export type Exchange<R> = Generator<readonly SavedArray[], R, void>

/** Runs an exchange by blocking calls. One without ranks yields nothing. */
export function exchangeSync<R>(ranks: Sums | undefined, exchange: Exchange<R>): R {
  let step = exchange.next()
  for (; !step.done; step = exchange.next()) ranks?.sumSync(step.value)
  return step.value
}

/** As `exchangeSync`, while the event loop runs. */
export async function exchangeAsync<R>(ranks: Sums | undefined, exchange: Exchange<R>): Promise<R> {
  let step = exchange.next()
  for (; !step.done; step = exchange.next()) await ranks?.sum(step.value)
  return step.value
}

/** A thrown value. */
export interface Failure {
  readonly reason: unknown
}

/** The result of a function, or what it threw. */
export type Attempt<R> =
  | { readonly value: R; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: Failure }

/** Calls a function and returns its result, or what it throws, so that all ranks learn of it before one throws. */
export function attempt<R>(compute: () => R): Attempt<R> {
  try {
    return { value: compute() }
  } catch (reason) {
    return { failure: { reason } }
  }
}

/** As `attempt`, for an asynchronous function. */
export const attemptAsync = <R>(compute: () => Promise<R>): Promise<Attempt<R>> =>
  compute().then(
    (value) => ({ value }),
    (reason) => ({ failure: { reason } }),
  )

/** The checked gradients of a call of `step`. */
export interface StepCall<T, H extends Hyperparameters> {
  readonly matched: readonly GroupGradients<T, H>[]
  /** False if `skipNotFinite` skips the call. */
  readonly finite: boolean
}
