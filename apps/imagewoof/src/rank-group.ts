import {
  attemptAsync,
  type Communicator,
  exchangeAsync,
  type Failure,
  gather,
  requireSame,
} from '@diffgrad/core'

/**
 * The processes that `mpirun` has started to train one run. Rank 0 writes the run; all take the same decisions,
 * from figures that they exchange. A process alone is a group of one, which exchanges nothing.
 */
export class RankGroup {
  readonly rank: number
  readonly size: number
  /** Aborts on every rank at the same point of the training, after the signal of any rank has aborted. */
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
   * Does work on every rank, and waits for all.
   *
   * @param mayAbort - whether `signal` may abort afterwards.
   * @throws on every rank if the work fails on one: its error there, a RankError on the others.
   */
  async together<R>(work: () => Promise<R>, mayAbort = false): Promise<R> {
    const result = await attemptAsync(work)
    const all = await this.#gather([Number(this.#own.aborted)], result.failure)
    if (mayAbort && all.some(([aborted]) => aborted === 1)) this.#shared.abort()
    if (result.failure) throw result.failure.reason
    return result.value
  }

  /** Does work on the first rank, and then on the others, which find its files. */
  async inTurn<R>(work: () => Promise<R>): Promise<R> {
    const first = await this.together(async () => (this.isFirst ? work() : undefined))
    const others = await this.together(async () => (this.isFirst ? undefined : work()))
    return (this.isFirst ? first : others) as R // One of both calls has worked.
  }

  /** @throws RankError on every rank, with the first line that differs between a rank and rank 0. */
  async requireSame(lines: readonly string[]): Promise<void> {
    if (this.#communicator)
      await exchangeAsync(this.#communicator, requireSame(this.#communicator, lines))
  }

  /** The figures of every rank, by rank: as many on each. */
  async gather(figures: ArrayLike<number>): Promise<readonly Float64Array[]> {
    return this.#gather(figures)
  }

  async #gather(figures: ArrayLike<number>, failure?: Failure): Promise<readonly Float64Array[]> {
    const own = Float64Array.from(figures)
    if (!this.#communicator) return [own]
    return exchangeAsync(this.#communicator, gather(this.#communicator, own, failure))
  }
}
