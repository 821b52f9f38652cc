import type { Floats } from '../floats.ts'
import { type Arena, arenaOf, padded } from './arena.ts'
import { type Dtype, dtypeOf, simdTypeOf } from './simd.ts'

/** One list of arrays for each array of a kernel, in its graph's order. */
export type KernelLists = readonly (readonly Floats[])[]

/** Where a kernel finds one of its arrays: from an address on, or elsewhere, to be staged. */
type Place = number | 'elsewhere'

/**
 * Consecutive positions whose arrays, for each name, lie one after the other in one arena: one call
 * of a kernel can take them all. Arrays from elsewhere are staged as if they did.
 */
export interface Segment {
  readonly arena: Arena
  readonly first: number
  readonly places: readonly Place[]
  /** How many elements each position has. */
  readonly lengths: readonly number[]
  /** All of them, with their padding. */
  readonly elements: number
}

/** A stretch while it grows. */
type Growing = Segment & { readonly lengths: number[]; elements: number }

/**
 * Splits lists of arrays into the fewest stretches.
 *
 * @param spare - where to work on arrays that are all from elsewhere.
 */
export function segmentsOf(lists: KernelLists, spare: (dtype: Dtype) => Arena): readonly Segment[] {
  const stretches: Growing[] = []
  const [positions] = lists
  for (const [i, array] of positions.entries()) {
    const arrays = lists.map((list) => list[i])
    const home = arrays.map(arenaOf).find((arena) => arena !== undefined)
    const arena = home ?? spare(dtypeOf(array))
    const last = stretches.at(-1)
    if (last && continues(last, arena, arrays)) {
      last.lengths.push(array.length)
      last.elements += padded(array.length)
    } else {
      const places = arrays.map((array) =>
        arenaOf(array) === arena ? array.byteOffset : 'elsewhere',
      )
      const [lengths, elements] = [[array.length], padded(array.length)]
      stretches.push({ arena, first: i, places, lengths, elements })
    }
  }
  return stretches
}

/** Whether arrays lie right behind a stretch, those apart that are staged anyway. */
function continues(
  { arena, places, elements }: Segment,
  other: Arena,
  arrays: readonly Floats[],
): boolean {
  const bytes = elements * simdTypeOf[arena.dtype].bytes
  return (
    arena === other &&
    places.every((place, k) => {
      const inside = arenaOf(arrays[k]) === arena
      return place === 'elsewhere' ? !inside : inside && arrays[k].byteOffset === place + bytes
    })
  )
}
