import { Communicator, type SavedArray } from '@diffgrad/core'

/** How elements of all ranks become one. */
export type Reduction = 'sum' | 'maximum'

/**
 * What a transport implements: collective calls on one array, which each rank makes in the same order. Each
 * has a form that blocks the thread, and one that lets the event loop run.
 */
export interface Transport {
  readonly rank: number
  readonly size: number
  /** Replaces elements by those of all ranks together, in place: the same bits on every rank. */
  reduceSync(elements: SavedArray, reduction: Reduction): void
  reduce(elements: SavedArray, reduction: Reduction): Promise<void>
  /** Ends all ranks at once. */
  abort(): void
  /** Waits for all ranks, and leaves them. */
  end(): Promise<void>
}

/** The most bytes of one call. Open MPI is several times slower with one call of 45 MB. */
export const bucketBytes: number = 2 ** 20

/** One call of a transport. */
interface Call {
  readonly elements: SavedArray
  readonly reduction: Reduction
}

/**
 * The ranks that train together. Every method is a collective call: each rank calls the same methods, in the
 * same order, with arrays of the same types and lengths, which are compared first. Asynchronous calls let the
 * event loop run, and run one at a time, in order; the others block this thread.
 */
export class Ranks extends Communicator {
  readonly #transport: Transport
  #last: Promise<unknown> = Promise.resolve()
  #running = 0

  constructor(transport: Transport) {
    super()
    this.#transport = transport
  }

  /** The number of this rank, from 0. */
  get rank(): number {
    return this.#transport.rank
  }

  /** The number of ranks. */
  get size(): number {
    return this.#transport.size
  }

  /**
   * Replaces arrays by their sums over all ranks, in place: the same bits on every rank.
   *
   * @throws Error on every rank if the arrays differ in types or lengths. Then nothing has changed.
   */
  sum(arrays: readonly SavedArray[]): Promise<void> {
    return this.#run(sumOf(this, arrays, 1))
  }

  /** As `sum`, but blocks this thread. @throws Error as `sum`, or while an asynchronous call runs. */
  sumSync(arrays: readonly SavedArray[]): void {
    if (this.#running > 0)
      throw new Error(
        'mpi: a blocking call cannot be made before the asynchronous ones have resolved',
      )
    for (const { elements, reduction } of sumOf(this, arrays, 1))
      this.#transport.reduceSync(elements, reduction)
  }

  /** Replaces arrays by their mean over all ranks, in place. @throws Error as `sum`. */
  mean(arrays: readonly SavedArray[]): Promise<void> {
    return this.#run(sumOf(this, arrays, 1 / this.size))
  }

  /** Replaces arrays by those of one rank, in place. @throws Error as `sum`. */
  broadcast(arrays: readonly SavedArray[], from = 0): Promise<void> {
    if (!(Number.isSafeInteger(from) && from >= 0 && from < this.size))
      return Promise.reject(
        new RangeError(`mpi: the rank must be in [0, ${this.size - 1}], but is ${from}`),
      )
    return this.#run(broadcastOf(this, arrays, from))
  }

  /** Resolves when every rank has called it. */
  barrier(): Promise<void> {
    return this.#run(sumOf(this, [], 1))
  }

  /** Ends all ranks at once, as if this one had died: for an error that the others cannot know. */
  abort(): void {
    this.#transport.abort()
  }

  /** Waits until every rank has called it, and leaves. The last call. */
  end(): Promise<void> {
    return this.#enqueue(() => this.#transport.end())
  }

  #run(calls: Generator<Call>): Promise<void> {
    return this.#enqueue(async () => {
      for (const { elements, reduction } of calls) await this.#transport.reduce(elements, reduction)
    })
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    this.#running++
    const result = this.#last.then(task).finally(() => this.#running--)
    this.#last = result.catch(() => undefined)
    return result
  }
}

function* sumOf(
  { size }: Pick<Ranks, 'size'>,
  arrays: readonly SavedArray[],
  factor: number,
): Generator<Call> {
  if (size === 1) return
  yield* compare('sum', arrays)
  for (const { elements, write } of bucketsOf(arrays)) {
    yield { elements, reduction: 'sum' }
    if (factor !== 1) for (let i = 0; i < elements.length; i++) elements[i] *= factor
    write()
  }
}

/** The bits of one rank, as whole numbers. All other ranks contribute −1, and the maximum is the rank's. */
function* broadcastOf(
  { rank, size }: Pick<Ranks, 'rank' | 'size'>,
  arrays: readonly SavedArray[],
  from: number,
): Generator<Call> {
  if (size === 1) return
  yield* compare(`broadcast from ${from}`, arrays)
  for (const { buffer, byteOffset, byteLength } of arrays) {
    const words = new Uint32Array(buffer, byteOffset, byteLength / 4)
    for (let at = 0; at < words.length; at += bucketBytes / 8) {
      const part = words.subarray(at, at + bucketBytes / 8)
      const elements = new Float64Array(part.length).fill(-1)
      if (rank === from) elements.set(part)
      yield { elements, reduction: 'maximum' }
      part.set(elements)
    }
  }
}

/** @throws Error unless all ranks make the same call with arrays of the same types and lengths. */
function* compare(call: string, arrays: readonly SavedArray[]): Generator<Call> {
  const text = [call, ...arrays.map((array) => `${array.constructor.name}(${array.length})`)].join()
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  // The largest h and the largest −h are opposite if all are equal.
  const elements = Float64Array.of(hash, -hash, text.length, -text.length)
  yield { elements, reduction: 'maximum' }
  if (elements[0] === -elements[1] && elements[2] === -elements[3]) return
  throw new Error(
    `mpi: the ranks make different calls; here ${text.length > 200 ? `${text.slice(0, 200)} …` : text}`,
  )
}

/** A part of some arrays that is exchanged by one call. */
interface Bucket {
  readonly elements: SavedArray
  /** Writes the elements back, if they are copies. */
  write(): void
}

/** Cuts arrays into buckets: parts of large arrays, and copies of many small ones. */
export function* bucketsOf(arrays: readonly SavedArray[]): Generator<Bucket> {
  for (const type of [Float32Array, Float64Array] as const) {
    const most = bucketBytes / type.BYTES_PER_ELEMENT
    let parts: SavedArray[] = []
    let room = most
    for (const array of arrays.filter((one) => one instanceof type)) {
      for (let at = 0; at < array.length; ) {
        const part = array.subarray(at, at + room)
        parts.push(part)
        at += part.length
        room -= part.length
        if (room > 0) continue
        yield bucketOf(parts, type)
        parts = []
        room = most
      }
    }
    if (parts.length > 0) yield bucketOf(parts, type)
  }
}

function bucketOf(
  parts: readonly SavedArray[],
  type: typeof Float32Array | typeof Float64Array,
): Bucket {
  if (parts.length === 1) return { elements: parts[0], write() {} }
  const elements = new type(parts.reduce((total, { length }) => total + length, 0))
  const starts: number[] = []
  let at = 0
  for (const part of parts) {
    starts.push(at)
    elements.set(part, at)
    at += part.length
  }
  return {
    elements,
    write() {
      for (const [i, part] of parts.entries())
        part.set(elements.subarray(starts[i], starts[i] + part.length))
    },
  }
}
