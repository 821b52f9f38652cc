import type { Floats } from '../floats.ts'
import { padded } from './arena.ts'
import { padding } from './kernel.ts'
import type { Segment } from './segments.ts'
import { simdTypeOf } from './simd.ts'

/** The most elements that are staged at a time: few enough to stay in cache. */
const longestWindow = 16384

/** A part of one array, and where it goes in a window. */
export interface Piece {
  readonly position: number
  readonly begin: number
  readonly end: number
  readonly at: number
}

/** Some consecutive elements of a stretch. */
interface Window {
  readonly from: number
  /** A multiple of the kernels' padding. */
  readonly elements: number
  readonly pieces: readonly Piece[]
}

/** How one of a kernel's lists is staged. */
interface Staged {
  /** Which of the kernel's lists. */
  readonly index: number
  /** Where the window lies in the arena. */
  readonly address: number
  readonly window: Floats
}

/** How the arrays of a stretch that lie elsewhere pass over the desk of its arena, window by window. */
export interface Staging {
  readonly staged: readonly Staged[]
  readonly windows: readonly Window[]
}

/** Plans how a stretch is staged; or nothing, if all of it is where the kernel works. */
export function stagingOf({ arena, first, places, lengths }: Segment): Staging | undefined {
  const elsewhere = [...places.keys()].filter((index) => places[index] === 'elsewhere')
  if (elsewhere.length === 0) return undefined
  const share = Math.floor(arena.deskElements / elsewhere.length / padding) * padding
  const size = Math.min(longestWindow, share)
  const staged = elsewhere.map((index, k) => {
    const address = arena.desk + k * size * simdTypeOf[arena.dtype].bytes
    return { index, address, window: arena.view(address, size) }
  })
  return { staged, windows: windowsOf(first, lengths, size) }
}

/** Cuts arrays, laid out with their padding, into windows of at most `size` elements. */
function windowsOf(first: number, lengths: readonly number[], size: number): readonly Window[] {
  const windows: Window[] = []
  let [from, at, pieces] = [0, 0, [] as Piece[]]
  const close = (): void => {
    windows.push({ from, elements: at, pieces })
    ;[from, at, pieces] = [from + at, 0, []]
  }
  for (const [k, length] of lengths.entries()) {
    for (let begin = 0; begin < length; ) {
      const end = Math.min(length, begin + size - at)
      pieces.push({ position: first + k, begin, end, at })
      at += padded(end - begin)
      begin = end
      if (at === size) close()
    }
  }
  if (at > 0) close()
  return windows
}

/** Copies what belongs into a window to the desk. */
export function bring(arrays: readonly Floats[], window: Floats, pieces: readonly Piece[]): void {
  for (const { position, begin, end, at } of pieces) {
    window.set(part(arrays[position], begin, end), at)
  }
}

/** Copies it back. */
export function fetch(arrays: readonly Floats[], window: Floats, pieces: readonly Piece[]): void {
  for (const { position, begin, end, at } of pieces) {
    arrays[position].set(part(window, at, at + end - begin), begin)
  }
}

const part = (array: Floats, begin: number, end: number): Floats =>
  begin === 0 && end === array.length ? array : array.subarray(begin, end)
