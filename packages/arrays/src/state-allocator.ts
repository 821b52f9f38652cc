import type { ArrayLists } from '@diffgrad/core'
import { type Dtype, dtypeOf, type FloatArray, KernelMemory } from '@diffgrad/kernels'
import { Arena, arenaOf, mostBytes, ordinaryArrays, rowBytes } from './arena.ts'

/** Parameters whose states are allocated in one arena, by position. */
interface StateBatch {
  readonly dtype: Dtype
  /** The arena of the parameters; undefined for parameters outside all arenas. */
  readonly arena: Arena | undefined
  readonly positions: number[]
}

type Rows = readonly (readonly FloatArray[])[]

/** Allocates the states of one optimizer, in the arenas of its parameters and in its own. */
export class StateAllocator {
  /** The states in use that lie in an arena. */
  readonly #arenaOfState = new Map<FloatArray, Arena>()
  /** Its own arenas, the newest first, and how many bytes they have in all. */
  readonly #own: Readonly<Record<Dtype, { arenas: Arena[]; bytes: number }>> = {
    float32: { arenas: [], bytes: 0 },
    float64: { arenas: [], bytes: 0 },
  }

  /**
   * Allocates zero-filled arrays shaped like the parameters, one row for each name. They lie in the
   * arena of the parameters if it has room, else in an arena of the optimizer, or in ordinary memory if
   * there is no arena so large.
   */
  zeros(parameters: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
    const lists = names.map(() => new Array<FloatArray>(parameters.length))
    if (names.length > 0) {
      for (const { arena, dtype, positions } of batchesOf(parameters, names.length)) {
        const lengths = positions.map((i) => parameters[i].length)
        const rows =
          (arena && this.#allocateIn(arena, lengths, names.length)) ??
          this.#allocateInOwn(dtype, lengths, names.length) ??
          names.map(() => ordinaryArrays(dtype, lengths, false))
        for (const [k, row] of rows.entries()) {
          for (const [j, i] of positions.entries()) lists[k][i] = row[j]
        }
      }
    }
    return Object.fromEntries(names.map((name, k) => [name, lists[k]]))
  }

  /** Frees states, which must not be used any more. */
  free(states: Iterable<FloatArray>): void {
    for (const state of states) {
      this.#arenaOfState.get(state)?.free(state)
      this.#arenaOfState.delete(state)
    }
  }

  /** Frees all states. */
  freeAll(): void {
    this.free([...this.#arenaOfState.keys()])
  }

  /** Allocates all rows in an arena, or none. */
  #allocateIn(arena: Arena, lengths: readonly number[], count: number): Rows | undefined {
    const rows: (readonly FloatArray[])[] = []
    while (rows.length < count) {
      const row = arena.allocate(lengths)
      if (!row) {
        for (const array of rows.flat()) arena.free(array)
        return undefined
      }
      rows.push(row)
    }
    for (const array of rows.flat()) this.#arenaOfState.set(array, arena)
    return rows
  }

  /** Allocates rows in an arena of its own. Each new arena is as large as all before it, so there are few. */
  #allocateInOwn(dtype: Dtype, lengths: readonly number[], count: number): Rows | undefined {
    const own = this.#own[dtype]
    for (const arena of own.arenas) {
      const rows = this.#allocateIn(arena, lengths, count)
      if (rows) return rows
    }
    const needed = count * rowBytes(lengths, dtype)
    const bytes = Math.max(needed, own.bytes)
    const arena = Arena.create(dtype, bytes) ?? Arena.create(dtype, needed)
    if (!arena) return undefined
    own.arenas = [arena, ...own.arenas]
    own.bytes += bytes
    return this.#allocateIn(arena, lengths, count)
  }
}

/** Splits parameters by their arena; those outside all arenas so that each batch fits into a new one. */
function batchesOf(parameters: readonly FloatArray[], rows: number): readonly StateBatch[] {
  const inside = new Map<Arena, StateBatch>()
  const outside = new Map<Dtype, StateBatch & { bytes: number }>()
  const batches: StateBatch[] = []
  for (const [i, parameter] of parameters.entries()) {
    const [arena, dtype] = [arenaOf(parameter), dtypeOf(parameter)]
    if (arena) {
      const batch = inside.get(arena) ?? { arena, dtype, positions: [] }
      if (!inside.has(arena)) batches.push(batch)
      inside.set(arena, batch)
      batch.positions.push(i)
    } else {
      const bytes = KernelMemory.paddedBytes(dtype, parameter.length)
      const last = outside.get(dtype)
      const fits = last && last.bytes + bytes <= mostBytes / rows
      const batch = fits ? last : { arena, dtype, positions: [], bytes: 0 }
      if (!fits) batches.push(batch)
      outside.set(dtype, batch)
      batch.bytes += bytes
      batch.positions.push(i)
    }
  }
  return batches
}
