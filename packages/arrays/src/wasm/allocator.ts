import type { ArrayLists } from '@diffgrad/core'
import type { Floats } from '../floats.ts'
import { Arena, arenaOf, mostBytes, padded, rowBytes } from './arena.ts'
import { type Dtype, dtypeOf, simdTypeOf } from './simd.ts'

/** Parameters whose memory goes into one arena, by position. */
interface Batch {
  readonly dtype: Dtype
  readonly arena: Arena | undefined
  readonly positions: number[]
}

/** The memory of one optimizer, in its own arenas and in those of its parameters. */
export class StateAllocator {
  readonly #guests: { readonly arena: Arena; readonly row: readonly Floats[] }[] = []

  /**
   * Arrays of zeros for parameters, for each name one row. They lie with the parameters, if these are
   * in an arena with room for them, and else in a new arena.
   *
   * @throws RangeError if a single parameter needs more than the 4 GiB of an arena.
   */
  zeros(parameters: readonly Floats[], names: readonly string[]): ArrayLists<Floats> {
    const lists = names.map(() => new Array<Floats>(parameters.length))
    if (names.length > 0) {
      for (const { arena, dtype, positions } of batchesOf(parameters, names.length)) {
        const lengths = positions.map((i) => parameters[i].length)
        const rows =
          (arena && this.#rowsBeside(arena, lengths, names.length)) ??
          rowsApart(dtype, lengths, names.length)
        for (const [k, row] of rows.entries()) {
          for (const [j, i] of positions.entries()) lists[k][i] = row[j]
        }
      }
    }
    return Object.fromEntries(names.map((name, k) => [name, lists[k]]))
  }

  /** Gives back the room in arenas that others may go on to use. */
  release(): void {
    for (const { arena, row } of this.#guests.splice(0)) arena.release(row)
  }

  #rowsBeside(
    arena: Arena,
    lengths: readonly number[],
    count: number,
  ): readonly (readonly Floats[])[] | undefined {
    const rows: (readonly Floats[])[] = []
    for (let k = 0; k < count; k++) {
      const row = arena.row(lengths)
      if (!row) {
        for (const taken of rows) arena.release(taken)
        return undefined
      }
      rows.push(row)
    }
    this.#guests.push(...rows.map((row) => ({ arena, row })))
    return rows
  }
}

function rowsApart(
  dtype: Dtype,
  lengths: readonly number[],
  count: number,
): readonly (readonly Floats[])[] {
  const arena = new Arena(dtype, count * rowBytes(lengths, dtype), false)
  return Array.from({ length: count }, () => {
    const row = arena.row(lengths)
    if (!row) {
      throw new RangeError(
        `a parameter of ${lengths} elements and ${count} arrays of memory exceed the 4 GiB of WebAssembly; choose kernel: 'javascript'`,
      )
    }
    return row
  })
}

/** Splits parameters by the arena they are in, and others so that each batch fits into an arena. */
function batchesOf(parameters: readonly Floats[], rows: number): readonly Batch[] {
  const beside = new Map<Arena, Batch>()
  const apart = new Map<Dtype, Batch & { elements: number }>()
  const batches: Batch[] = []
  for (const [i, parameter] of parameters.entries()) {
    const [arena, dtype] = [arenaOf(parameter), dtypeOf(parameter)]
    if (arena) {
      const batch = beside.get(arena) ?? { arena, dtype, positions: [] }
      if (!beside.has(arena)) batches.push(batch)
      beside.set(arena, batch)
      batch.positions.push(i)
    } else {
      const most = mostBytes / rows / simdTypeOf[dtype].bytes
      const elements = padded(parameter.length)
      const last = apart.get(dtype)
      const fits = last && last.elements + elements <= most
      const batch = fits ? last : { arena, dtype, positions: [], elements: 0 }
      if (!fits) batches.push(batch)
      apart.set(dtype, batch)
      batch.elements += elements
      batch.positions.push(i)
    }
  }
  return batches
}
