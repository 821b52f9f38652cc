import { type Dtype, dtypeOf, type FloatArray } from '../typed-arrays.ts'
import { type KernelMemory, memoryOf, paddedLength } from './launch.ts'
import { padding } from './loop.ts'

/** The arrays of one kernel: a list for each array of its graph, in order. */
export type KernelLists = readonly (readonly FloatArray[])[]

/** Where one list of a segment begins in its memory. Arrays outside the memory are staged. */
type Address = number | 'staged'

/**
 * Consecutive positions of the lists whose arrays lie, in each list, one after the other in one memory,
 * so that one launch computes them all. Arrays outside the memory are staged in the same order.
 */
export interface Segment {
  readonly memory: KernelMemory
  /** The first position. */
  readonly first: number
  readonly addresses: readonly Address[]
  /** The length of the arrays at each position. */
  readonly lengths: readonly number[]
  /** All elements of one list, with padding. */
  readonly elements: number
}

type GrowingSegment = Segment & { readonly lengths: number[]; elements: number }

/**
 * Splits lists of arrays into the fewest segments.
 *
 * @param stagingMemory - the memory for positions whose arrays are all staged.
 */
export function segmentsOf(
  lists: KernelLists,
  stagingMemory: (dtype: Dtype) => KernelMemory,
): readonly Segment[] {
  const segments: GrowingSegment[] = []
  for (const [position, array] of lists[0].entries()) {
    const arrays = lists.map((list) => list[position])
    const memory =
      arrays.map(memoryOf).find((memory) => memory !== undefined) ?? stagingMemory(dtypeOf(array))
    const elements = paddedLength(array.length)
    const last = segments.at(-1)
    if (last && continues(last, memory, arrays)) {
      last.lengths.push(array.length)
      last.elements += elements
    } else {
      const addresses = arrays.map((array) =>
        memoryOf(array) === memory ? array.byteOffset : 'staged',
      )
      segments.push({ memory, first: position, addresses, lengths: [array.length], elements })
    }
  }
  return segments
}

/** Whether arrays lie right behind a segment, except those that are staged. */
const continues = (
  { memory, addresses, elements }: Segment,
  next: KernelMemory,
  arrays: readonly FloatArray[],
): boolean =>
  memory === next &&
  addresses.every((address, k) => {
    const isInside = memoryOf(arrays[k]) === memory
    if (address === 'staged') return !isInside
    return isInside && arrays[k].byteOffset === address + elements * memory.elementBytes
  })

/** The most elements that are staged at a time, so that a chunk stays in the cache. */
const longestChunk = 16384

/** Elements of one array in a chunk. */
interface StagedRange {
  readonly position: number
  readonly begin: number
  readonly end: number
  /** The index of the first one in the chunk. */
  readonly at: number
}

/** Consecutive elements of a segment that are staged together. */
interface Chunk {
  /** The index of its first element in the segment. */
  readonly from: number
  readonly elements: number
  readonly ranges: readonly StagedRange[]
}

/** A list that is staged. */
interface StagedList {
  readonly index: number
  readonly address: number
  /** Its share of the staging buffer. */
  readonly buffer: FloatArray
  /** For each range of each chunk, a view of it in the buffer; none if the kernel does not write the list. */
  readonly windows: readonly (readonly FloatArray[])[]
}

/** How the arrays of a segment that lie outside its memory are staged, chunk by chunk. */
export interface Staging {
  readonly lists: readonly StagedList[]
  readonly chunks: readonly Chunk[]
}

/**
 * Plans how a segment is staged; undefined if all its arrays lie in its memory.
 *
 * @param isWritten - whether the kernel writes each list.
 */
export function stagingOf(
  { memory, first, addresses, lengths }: Segment,
  isWritten: readonly boolean[],
): Staging | undefined {
  const staged = [...addresses.keys()].filter((index) => addresses[index] === 'staged')
  if (staged.length === 0) return undefined
  const share = Math.floor(memory.stagingElements / staged.length / padding) * padding
  const size = Math.min(longestChunk, share)
  const chunks = chunksOf(first, lengths, size)
  const lists = staged.map((index, k) => {
    const address = memory.staging + k * size * memory.elementBytes
    const buffer = memory.view(address, size)
    const window = ({ begin, end, at }: StagedRange) => buffer.subarray(at, at + end - begin)
    const windows = isWritten[index] ? chunks.map(({ ranges }) => ranges.map(window)) : []
    return { index, address, buffer, windows }
  })
  return { lists, chunks }
}

/** Cuts arrays, laid out with their padding, into chunks of at most `size` elements. */
function chunksOf(first: number, lengths: readonly number[], size: number): readonly Chunk[] {
  const chunks: Chunk[] = []
  let [from, at, ranges] = [0, 0, [] as StagedRange[]]
  const close = (): void => {
    chunks.push({ from, elements: at, ranges })
    ;[from, at, ranges] = [from + at, 0, []]
  }
  for (const [k, length] of lengths.entries()) {
    for (let begin = 0; begin < length; ) {
      const end = Math.min(length, begin + size - at)
      ranges.push({ position: first + k, begin, end, at })
      at += paddedLength(end - begin)
      begin = end
      if (at === size) close()
    }
  }
  if (at > 0) close()
  return chunks
}

/** Copies the elements of a chunk to the staging buffer. */
export function copyIn(
  arrays: readonly FloatArray[],
  { buffer }: StagedList,
  { ranges }: Chunk,
): void {
  for (const { position, begin, end, at } of ranges) {
    buffer.set(slice(arrays[position], begin, end), at)
  }
}

/** Copies the elements of the kth chunk from the staging buffer to their arrays. */
export function copyOut(
  arrays: readonly FloatArray[],
  { windows }: StagedList,
  { ranges }: Chunk,
  k: number,
): void {
  const ofChunk = windows[k]
  for (let i = 0; i < ranges.length; i++) {
    arrays[ranges[i].position].set(ofChunk[i], ranges[i].begin)
  }
}

/** The array itself where a view of it would be the same: views are slow to make. */
const slice = (array: FloatArray, begin: number, end: number): FloatArray =>
  begin === 0 && end === array.length ? array : array.subarray(begin, end)
