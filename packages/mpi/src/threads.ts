import type { SavedArray } from '@diffgrad/core'
import { bucketBytes, Ranks, type Reduction, type Transport } from './ranks.ts'

/** The memory of ranks that are threads of one process. Can be sent to a worker. */
export interface SharedRanks {
  readonly size: number
  readonly memory: SharedArrayBuffer
}

/** The counters at the start of the memory: ranks that have arrived, barriers passed, and whether all ended. */
const [arrived, passed, aborted] = [0, 1, 2]
const headerBytes = 64

/**
 * Allocates the memory of ranks that are threads of one process, for machines without MPI and for tests.
 *
 * @param size - the number of ranks, at least 1.
 */
export function shareRanks(size: number): SharedRanks {
  if (!(Number.isSafeInteger(size) && size >= 1))
    throw new RangeError(`mpi: the number of ranks must be a whole number from 1, but is ${size}`)
  return { size, memory: new SharedArrayBuffer(headerBytes + 2 * size * bucketBytes) }
}

/**
 * One of the ranks that share a memory. Ranks whose calls block each need a thread of their own; others may
 * share one.
 */
export function threadRank(shared: SharedRanks, rank: number): Ranks {
  if (!(Number.isSafeInteger(rank) && rank >= 0 && rank < shared.size))
    throw new RangeError(`mpi: the rank must be in [0, ${shared.size - 1}], but is ${rank}`)
  return new Ranks(new ThreadTransport(shared, rank))
}

/** Sums the buckets of all ranks, in their order, from a memory that they share. */
class ThreadTransport implements Transport {
  readonly rank: number
  readonly size: number
  readonly #memory: SharedArrayBuffer
  readonly #state: Int32Array
  /** Calls alternate between two halves of the memory, so that one barrier a call is enough. */
  #half = 0

  constructor({ size, memory }: SharedRanks, rank: number) {
    this.rank = rank
    this.size = size
    this.#memory = memory
    this.#state = new Int32Array(memory, 0, headerBytes / 4)
  }

  reduceSync(elements: SavedArray, reduction: Reduction): void {
    const slots = this.#write(elements)
    const barrier = this.#arrive()
    while (!this.#hasPassed(barrier)) Atomics.wait(this.#state, passed, barrier)
    reduceInto(elements, slots, reduction)
  }

  async reduce(elements: SavedArray, reduction: Reduction): Promise<void> {
    const slots = this.#write(elements)
    await this.#wait(this.#arrive())
    reduceInto(elements, slots, reduction)
  }

  abort(): void {
    Atomics.store(this.#state, aborted, 1)
    Atomics.notify(this.#state, passed)
  }

  end(): Promise<void> {
    return this.#wait(this.#arrive())
  }

  /** Copies elements into this rank's slot, and returns the slots of all ranks. */
  #write(elements: SavedArray): readonly SavedArray[] {
    const start = headerBytes + this.#half * this.size * bucketBytes
    this.#half = 1 - this.#half
    const { length } = elements
    const slots = Array.from({ length: this.size }, (_, i) => {
      const at = start + i * bucketBytes
      return elements instanceof Float32Array
        ? new Float32Array(this.#memory, at, length)
        : new Float64Array(this.#memory, at, length)
    })
    slots[this.rank].set(elements)
    return slots
  }

  /** Arrives at a barrier, and returns its number. The last rank to arrive lets all pass. */
  #arrive(): number {
    const barrier = Atomics.load(this.#state, passed)
    if (Atomics.add(this.#state, arrived, 1) === this.size - 1) {
      Atomics.store(this.#state, arrived, 0)
      Atomics.add(this.#state, passed, 1)
      Atomics.notify(this.#state, passed)
    }
    return barrier
  }

  /** @throws Error if a rank has aborted. */
  #hasPassed(barrier: number): boolean {
    if (Atomics.load(this.#state, aborted) === 1) throw new Error('mpi: another rank has ended')
    return Atomics.load(this.#state, passed) !== barrier
  }

  async #wait(barrier: number): Promise<void> {
    // A waiting promise does not keep the event loop alive.
    const alive = setInterval(() => {}, 2 ** 30)
    try {
      while (!this.#hasPassed(barrier)) await Atomics.waitAsync(this.#state, passed, barrier).value
    } finally {
      clearInterval(alive)
    }
  }
}

function reduceInto(
  elements: SavedArray,
  slots: readonly SavedArray[],
  reduction: Reduction,
): void {
  elements.set(slots[0])
  for (const slot of slots.slice(1)) {
    if (reduction === 'sum') for (let i = 0; i < elements.length; i++) elements[i] += slot[i]
    else for (let i = 0; i < elements.length; i++) elements[i] = Math.max(elements[i], slot[i])
  }
}
