import type { FloatArray } from '@diffgrad/kernels'

/** The bytes of an array in its buffer. */
interface Region {
  readonly array: FloatArray
  readonly begin: number
  readonly end: number
}

/** An index of the byte ranges of non-overlapping arrays, by buffer. */
export class MemoryRegions {
  /** In the order of their addresses. Empty arrays have none. */
  readonly #byBuffer = new Map<ArrayBufferLike, Region[]>()
  readonly #regions = new Map<FloatArray, Region>()

  /** Adds an array, or its present bytes if it was added before. */
  add(array: FloatArray): void {
    this.delete(array)
    const { buffer, byteOffset: begin, byteLength } = array
    if (byteLength === 0) return
    const region = { array, begin, end: begin + byteLength }
    const regions = this.#byBuffer.get(buffer) ?? []
    regions.splice(firstEndingAfter(regions, begin), 0, region)
    this.#byBuffer.set(buffer, regions)
    this.#regions.set(array, region)
  }

  delete(array: FloatArray): void {
    const region = this.#regions.get(array)
    if (!region) return
    this.#regions.delete(array)
    const regions = this.#byBuffer.get(array.buffer) ?? []
    regions.splice(regions.indexOf(region), 1)
    if (regions.length === 0) this.#byBuffer.delete(array.buffer)
  }

  /** Returns the added arrays that overlap an array. */
  overlapping({ buffer, byteOffset, byteLength }: FloatArray): readonly FloatArray[] {
    const regions = this.#byBuffer.get(buffer)
    if (!regions || byteLength === 0) return []
    const found: FloatArray[] = []
    for (let i = firstEndingAfter(regions, byteOffset); i < regions.length; i++) {
      if (regions[i].begin >= byteOffset + byteLength) break
      found.push(regions[i].array)
    }
    return found
  }
}

/** The position of the first region that ends after an address. */
function firstEndingAfter(regions: readonly Region[], address: number): number {
  let [low, high] = [0, regions.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (regions[middle].end <= address) low = middle + 1
    else high = middle
  }
  return low
}
