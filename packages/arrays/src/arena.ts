import {
  type Dtype,
  type FloatArray,
  KernelMemory,
  memoryOf,
  type StartPool,
} from '@diffgrad/kernels'

const pageBytes = 65536
/** The most that 32 bits can address. */
const mostPages = 65536

/** Rows that begin a multiple of 4096 bytes apart would all use the same lines of a cache. */
const rowAlignment = 4096
const rowShift = 1088

/** The most bytes of rows in one arena; the other pages hold the workspace. */
export const mostBytes: number = pageBytes * (mostPages - 64)

/** Returns how many bytes a row of arrays takes, each with its padding. */
export function rowBytes(lengths: readonly number[], dtype: Dtype): number {
  const bytes = lengths.reduce((sum, length) => sum + KernelMemory.paddedBytes(dtype, length), 0)
  return rowAlignment * Math.ceil(bytes / rowAlignment) + rowShift
}

/** Allocates zero-filled arrays outside of all arenas, in shared memory if `shared`. */
export function ordinaryArrays(
  dtype: Dtype,
  lengths: readonly number[],
  shared: boolean,
): readonly FloatArray[] {
  const bytes = dtype === 'float32' ? 4 : 8
  return lengths.map((length) => {
    const buffer = new (shared ? SharedArrayBuffer : ArrayBuffer)(length * bytes)
    return dtype === 'float32' ? new Float32Array(buffer) : new Float64Array(buffer)
  })
}

function memoryOfPages(pages: number, shared: boolean): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  } catch {
    return undefined
  }
}

const arenas = new WeakMap<KernelMemory, Arena>()

/** Returns the arena in which an array lies. */
export function arenaOf(array: FloatArray): Arena | undefined {
  const memory = memoryOf(array)
  return memory && arenas.get(memory)
}

/**
 * A WebAssembly memory for arrays that kernels use together. It never grows, because growing would
 * detach every array in it; pages that are not used yet cost address space, but no memory. V8 reserves
 * 10 GiB of addresses for every WebAssembly memory, whatever its size (unless Node runs with
 * `--disable-wasm-trap-handler`), so a machine can run out of them: see `Arena.create`.
 */
export class Arena {
  readonly dtype: Dtype
  readonly #memory: KernelMemory
  readonly #begin: number
  readonly #size: number
  /** Rows in use, in the order of their addresses. */
  readonly #rows: Row[] = []
  readonly #rowOf = new WeakMap<FloatArray, Row>()
  /** Whether there may be gaps between rows. */
  #hasGaps = false
  /** Bytes from here on were never used, so they are zeros. */
  #unused = 0

  /**
   * Creates an arena with room for these bytes of rows, or for what of them fits into 4 GiB; undefined if
   * there is no WebAssembly, or no memory of this size.
   *
   * @param startPool - starts threads on it, if its memory is shared.
   */
  static create(dtype: Dtype, bytes: number, startPool?: StartPool): Arena | undefined {
    const begin = KernelMemory.workspaceBytes(dtype) + rowAlignment
    const pages = Math.min(Math.ceil((begin + bytes) / pageBytes), mostPages)
    const memory = memoryOfPages(pages, startPool !== undefined)
    return (
      memory && new Arena(new KernelMemory(memory, dtype, { startPool }), begin, pages * pageBytes)
    )
  }

  private constructor(memory: KernelMemory, begin: number, size: number) {
    this.dtype = memory.dtype
    this.#memory = memory
    this.#begin = begin
    this.#size = size
    arenas.set(memory, this)
  }

  /** Allocates a row of zero-filled arrays, one after the other; undefined if there is no room. */
  allocate(lengths: readonly number[]): readonly FloatArray[] | undefined {
    const bytes = rowBytes(lengths, this.dtype)
    const index = this.#hasGaps ? this.#findGap(bytes) : this.#rows.length
    const address = this.#endOf(index - 1)
    if (this.#beginOf(index) - address < bytes) return undefined
    const row = { address, bytes, used: lengths.length }
    this.#rows.splice(index, 0, row)
    if (address < this.#unused) {
      new Uint8Array(this.#memory.memory.buffer, address, bytes).fill(0)
    }
    this.#unused = Math.max(this.#unused, address + bytes)
    let next = address
    return lengths.map((length) => {
      const array = this.#memory.array(next, length)
      next += KernelMemory.paddedBytes(this.dtype, length)
      this.#rowOf.set(array, row)
      return array
    })
  }

  /** Frees an array, which must not be used any more. Its row is used again once all its arrays are free. */
  free(array: FloatArray): void {
    const row = this.#rowOf.get(array)
    if (!row) return
    this.#rowOf.delete(array)
    row.used--
    if (row.used > 0) return
    this.#rows.splice(this.#rows.indexOf(row), 1)
    this.#hasGaps = true
  }

  /** Returns the position of the first row with enough free bytes before it, or else behind all rows. */
  #findGap(bytes: number): number {
    const found = this.#rows.findIndex((row, i) => row.address - this.#endOf(i - 1) >= bytes)
    return found < 0 ? this.#rows.length : found
  }

  #endOf(index: number): number {
    return index < 0 ? this.#begin : this.#rows[index].address + this.#rows[index].bytes
  }

  #beginOf(index: number): number {
    return index < this.#rows.length ? this.#rows[index].address : this.#size
  }
}

/** Bytes of an arena, for arrays one after the other. */
interface Row {
  readonly address: number
  readonly bytes: number
  /** How many of its arrays are in use. */
  used: number
}
