import type { Floats } from '../floats.ts'
import { padding } from './kernel.ts'
import { type Dtype, simdTypeOf } from './simd.ts'

const pageBytes = 65536
const mostPages = 65536

/** Room for the arguments of a kernel, at the beginning of every arena. */
export const argumentBytes = 4096

/** Rows that begin a multiple of 4096 bytes apart would all fall into the same lines of a cache. */
const rowAlignment = 4096
const rowShift = 1088

/** How many elements of all the user's own arrays together are staged at a time. */
const deskElements = 65536

/** Room for rows in the largest arena, with enough to spare for what else is in it. */
export const mostBytes: number = pageBytes * (mostPages - 64)

const arenas = new WeakMap<Floats, Arena>()

/** The arena in which an array lies, if any. */
export const arenaOf = (array: Floats): Arena | undefined => arenas.get(array)

/** How many bytes a row of arrays takes, each padded to whole turns of a kernel. */
export const rowBytes = (lengths: readonly number[], dtype: Dtype): number => {
  const elements = lengths.reduce((sum, length) => sum + padded(length), 0)
  return rowAlignment * Math.ceil((elements * simdTypeOf[dtype].bytes) / rowAlignment) + rowShift
}

/** The length of an array with its padding. */
export const padded = (length: number): number => padding * Math.ceil(length / padding)

/**
 * One memory for the arrays that kernels work on together. It never grows, because growing would
 * detach every array in it; what is not used yet costs address space, but no memory.
 */
export class Arena {
  readonly dtype: Dtype
  readonly memory: WebAssembly.Memory
  /** Where the arguments of a kernel are put. */
  readonly block = 0
  /** Arrays that live elsewhere are staged here. */
  readonly desk: number = argumentBytes
  readonly deskElements: number = deskElements
  readonly #begin: number
  readonly #size: number
  /** Rows in use, in the order of their addresses. */
  #rows: readonly { readonly at: number; readonly bytes: number }[] = []
  /** What lies beyond was never used, and so holds zeros. */
  #touched = 0

  /**
   * @param bytes - room for rows; what exceeds 4 GiB is left out.
   * @throws RangeError if there is not so much memory.
   */
  constructor(dtype: Dtype, bytes: number, shared: boolean) {
    this.dtype = dtype
    this.#begin = argumentBytes + deskElements * simdTypeOf[dtype].bytes + rowAlignment
    const pages = Math.min(Math.ceil((this.#begin + bytes) / pageBytes), mostPages)
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
    this.#size = pages * pageBytes
  }

  /** Whether several threads can work on it. */
  get shared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer)
  }

  /** Arrays of zeros, one after the other; or nothing, where there is not so much room. */
  row(lengths: readonly number[]): readonly Floats[] | undefined {
    const bytes = rowBytes(lengths, this.dtype)
    const at = this.#gap(bytes)
    if (at === undefined) return undefined
    this.#rows = [...this.#rows, { at, bytes }].toSorted((a, b) => a.at - b.at)
    if (at < this.#touched) new Uint8Array(this.memory.buffer, at, bytes).fill(0)
    this.#touched = Math.max(this.#touched, at + bytes)
    let next = at
    return lengths.map((length) => {
      const array = this.view(next, length)
      arenas.set(array, this)
      next += padded(length) * simdTypeOf[this.dtype].bytes
      return array
    })
  }

  /** Gives back the room of a row, by its first array. No array of it may be used any more. */
  release([first]: readonly Floats[]): void {
    this.#rows = this.#rows.filter(({ at }) => at !== first.byteOffset)
  }

  /** An array at an address, which the arena does not know as its own. */
  view(address: number, length: number): Floats {
    const Kind = this.dtype === 'float32' ? Float32Array : Float64Array
    return new Kind(this.memory.buffer, address, length)
  }

  /** The first free address with so much room behind it. */
  #gap(bytes: number): number | undefined {
    let at = this.#begin
    for (const row of this.#rows) {
      if (row.at - at >= bytes) return at
      at = row.at + row.bytes
    }
    return this.#size - at >= bytes ? at : undefined
  }
}
