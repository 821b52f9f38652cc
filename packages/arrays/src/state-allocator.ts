import type { ArrayLists } from '@diffgrad/core'
import { type Dtype, dtypeOf, type FloatArray, KernelMemory } from '@diffgrad/kernels'
import { Arena, arenaOf, mostBytes, ordinaryArrays, rowBytes } from './arena.ts'

/** Parameters whose states are allocated in one arena, by position. */
interface Batch {
  readonly dtype: Dtype
  /** The arena of the parameters; a new one is made for parameters outside all arenas. */
  readonly arena: Arena | undefined
  readonly positions: number[]
}

/** Allocates the states of one optimizer, in the arenas of its parameters and in its own. */
export class StateAllocator {
  /** Rows in arenas of parameters, which outlast the optimizer. */
  readonly #rows: { readonly arena: Arena; readonly row: readonly FloatArray[] }[] = []

  /**
   * Allocates zero-filled arrays shaped like the parameters, one row for each name. They lie in the
   * arena of the parameters if it has room, else in a new arena, or in ordinary memory if there is no
   * arena so large.
   */
  zeros(parameters: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
    const lists = names.map(() => new Array<FloatArray>(parameters.length))
    if (names.length > 0) {
      for (const { arena, dtype, positions } of batchesOf(parameters, names.length)) {
        const lengths = positions.map((i) => parameters[i].length)
        const rows =
          (arena && this.#allocateIn(arena, lengths, names.length)) ??
          allocateApart(dtype, lengths, names.length)
        for (const [k, row] of rows.entries()) {
          for (const [j, i] of positions.entries()) lists[k][i] = row[j]
        }
      }
    }
    return Object.fromEntries(names.map((name, k) => [name, lists[k]]))
  }

  /** Frees the rows in arenas of parameters. */
  free(): void {
    for (const { arena, row } of this.#rows.splice(0)) arena.free(row)
  }

  /** Allocates all rows in an arena, or none. */
  #allocateIn(
    arena: Arena,
    lengths: readonly number[],
    count: number,
  ): readonly (readonly FloatArray[])[] | undefined {
    const rows: (readonly FloatArray[])[] = []
    for (let k = 0; k < count; k++) {
      const row = arena.allocate(lengths)
      if (!row) {
        for (const allocated of rows) arena.free(allocated)
        return undefined
      }
      rows.push(row)
    }
    this.#rows.push(...rows.map((row) => ({ arena, row })))
    return rows
  }
}

function allocateApart(
  dtype: Dtype,
  lengths: readonly number[],
  count: number,
): readonly (readonly FloatArray[])[] {
  const arena = Arena.create(dtype, count * rowBytes(lengths, dtype), false)
  return Array.from(
    { length: count },
    () => arena?.allocate(lengths) ?? ordinaryArrays(dtype, lengths, false),
  )
}

/** Splits parameters by their arena; those outside all arenas so that each batch fits into a new one. */
function batchesOf(parameters: readonly FloatArray[], rows: number): readonly Batch[] {
  const inside = new Map<Arena, Batch>()
  const outside = new Map<Dtype, Batch & { bytes: number }>()
  const batches: Batch[] = []
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
