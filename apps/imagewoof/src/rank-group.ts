import { attemptAsync, type Communicator, exchangeAsync, gather } from '@diffgrad/core'

/**
 * The processes that train one run together, as `mpirun` has started them. Rank 0 writes the run; all decide
 * alike, by figures that they exchange. A process alone is a group of one, which exchanges nothing.
 */
export class RankGroup {
  readonly rank: number
  readonly size: number
  /** Aborts on every rank at the same point of the training, once the signal of one has. */
  readonly signal: AbortSignal
  readonly #communicator: Communicator | undefined
  readonly #own: AbortSignal
  readonly #shared = new AbortController()

  /**
   * @param own - the signal of this process.
   * @param communicator - of all ranks; undefined for a process alone.
   */
  constructor(own: AbortSignal, communicator?: Communicator) {
    this.#own = own
    this.#communicator = communicator && communicator.size > 1 ? communicator : undefined
    this.rank = this.#communicator?.rank ?? 0
    this.size = this.#communicator?.size ?? 1
    this.signal = this.#communicator ? this.#shared.signal : own
  }

  /** Whether this process writes the run, and shows its progress. */
  get isFirst(): boolean {
    return this.rank === 0
  }

  /**
   * Does work that each rank has a part of.
   *
   * @param mayAbort - whether `signal` aborts afterwards, if the signal of any rank has.
   * @throws on every rank if the work fails on one: its error there, a RankError on the others.
   */
  async together<R>(work: () => Promise<R>, mayAbort = false): Promise<R> {
    const result = await attemptAsync(work)
    const { failure } = result
    const all = await this.#gather([Number(this.#own.aborted)], failure)
    if (mayAbort && all.some(([aborted]) => aborted === 1)) this.#shared.abort()
    if (result.failure) throw result.failure.reason
    return result.value
  }

  /** Does work on the first rank, and then on the others, which find what it has left. */
  async inTurn<R>(work: () => Promise<R>): Promise<R> {
    const first = await this.together(async () => (this.isFirst ? work() : undefined))
    const others = await this.together(async () => (this.isFirst ? undefined : work()))
    return (this.isFirst ? first : others) as R // One of both calls has worked.
  }

  /** The figures of every rank, by rank: as many on each. */
  async gather(figures: ArrayLike<number>): Promise<readonly Float64Array[]> {
    return this.#gather(figures)
  }

  async #gather(
    figures: ArrayLike<number>,
    failure?: { readonly reason: unknown },
  ): Promise<readonly Float64Array[]> {
    const own = Float64Array.from(figures)
    if (!this.#communicator) return [own]
    return exchangeAsync(this.#communicator, gather(this.#communicator, own, failure))
  }
}
