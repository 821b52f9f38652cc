import type { Floats } from '../floats.ts'
import { type Arena, arenaOf, padded } from './arena.ts'
import { type Dtype, dtypeOf, lanesOf } from './lanes.ts'

/** Where a kernel finds one of its arrays: at an address, or in arrays that have to be staged. */
export type Place = number | readonly Floats[]

/**
 * Positions whose arrays lie one after the other, for each name of a kernel, in one arena: one call
 * can take them all. Arrays from elsewhere are staged as if they did.
 */
export interface Stretch {
  readonly arena: Arena
  readonly places: readonly Place[]
  /** How many elements each position has. */
  readonly lengths: readonly number[]
  /** All of them, with their padding. */
  readonly elements: number
}

/** What is known of a stretch while it grows. */
interface Growing {
  readonly arena: Arena
  readonly places: (number | Floats[])[]
  readonly lengths: number[]
  elements: number
}

/**
 * Splits lists of arrays, one list for each name of a kernel, into the fewest stretches.
 *
 * @param spare - where to work on arrays that are all from elsewhere.
 */
export function stretchesOf(
  lists: readonly (readonly Floats[])[],
  spare: (dtype: Dtype) => Arena,
): readonly Stretch[] {
  const stretches: Growing[] = []
  const [first] = lists
  for (const [i, { length }] of first.entries()) {
    if (length === 0) continue
    const arrays = lists.map((list) => list[i])
    const home = arrays.map(arenaOf).find((arena) => arena !== undefined)
    const arena = home ?? spare(dtypeOf(first[i]))
    const last = stretches.at(-1)
    if (last && continues(last, arena, arrays)) {
      extend(last, arrays)
    } else {
      const places = arrays.map((array) => (arenaOf(array) === arena ? array.byteOffset : [array]))
      stretches.push({ arena, places, lengths: [length], elements: padded(length) })
    }
  }
  return stretches
}

/** Whether arrays lie right behind a stretch, those apart that are staged anyway. */
function continues(
  { arena, places, elements }: Growing,
  other: Arena,
  arrays: readonly Floats[],
): boolean {
  const bytes = elements * lanesOf[arena.dtype].bytes
  return (
    arena === other &&
    places.every((place, k) => {
      const inside = arenaOf(arrays[k]) === arena
      return typeof place === 'number' ? inside && arrays[k].byteOffset === place + bytes : !inside
    })
  )
}

function extend(stretch: Growing, arrays: readonly Floats[]): void {
  const [{ length }] = arrays
  for (const [k, place] of stretch.places.entries()) {
    if (typeof place !== 'number') place.push(arrays[k])
  }
  stretch.lengths.push(length)
  stretch.elements += padded(length)
}
