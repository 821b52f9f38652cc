import { imageNet } from '../image-net.ts'
import type { Crop } from './crop.ts'
import { type Taps, tapsOf } from './taps.ts'

const { mean, deviation } = imageNet

// value / 255, less the mean, over the deviation.
const factor = deviation.map((d) => 1 / (255 * d))
const offset = mean.map((m, channel) => -m / deviation[channel])

/**
 * Resizes parts of stored squares to what a network sees, by antialiased bilinear resampling.
 *
 * This is where a loader spends its time: the loops are unrolled over the three taps, and the first
 * runs down the columns, so that its weights stay in registers.
 */
export class Resampler {
  readonly #edge: number
  readonly #size: number
  /** The rows of a crop, already as wide as the picture · edge × size × 3. */
  readonly #rows: Float32Array
  /** For a crop of each length, from 1. */
  readonly #taps: readonly Taps[]

  /**
   * @param edge - of the stored squares, at most half as large again as the pictures.
   * @param size - edge of the pictures.
   */
  constructor(edge: number, size: number) {
    if (edge > 1.5 * size) {
      throw new RangeError(`stored squares must be at most 1.5 × ${size} px, but are ${edge} px`)
    }
    this.#edge = edge
    this.#size = size
    this.#rows = new Float32Array(edge * size * 3)
    this.#taps = Array.from({ length: edge }, (_, i) => tapsOf(i + 1, size))
  }

  /**
   * @param square - RGB bytes · edge × edge × 3.
   * @param crop - at least three pixels wide and high.
   * @param mirror - whether left and right change places.
   * @param picture - normalized by ImageNet's statistics · 3 × size × size.
   */
  resample(square: Uint8Array, crop: Crop, mirror: boolean, picture: Float32Array): void {
    this.#narrow(square, crop, mirror)
    this.#shorten(crop, picture)
  }

  #narrow(square: Uint8Array, { left, top, width, height }: Crop, mirror: boolean): void {
    const [rows, size] = [this.#rows, this.#size]
    const { first, weights } = this.#taps[width - 1]
    const [stored, made] = [3 * this.#edge, 3 * size]
    for (let x = 0; x < size; x++) {
      const a = weights[3 * x]
      const b = weights[3 * x + 1]
      const c = weights[3 * x + 2]
      let i = top * stored + 3 * (left + first[x])
      let to = 3 * (mirror ? size - 1 - x : x)
      for (let y = 0; y < height; y++, i += stored, to += made) {
        rows[to] = a * square[i] + b * square[i + 3] + c * square[i + 6]
        rows[to + 1] = a * square[i + 1] + b * square[i + 4] + c * square[i + 7]
        rows[to + 2] = a * square[i + 2] + b * square[i + 5] + c * square[i + 8]
      }
    }
  }

  #shorten({ height }: Crop, picture: Float32Array): void {
    const [rows, size] = [this.#rows, this.#size]
    const { first, weights } = this.#taps[height - 1]
    const [made, plane] = [3 * size, size * size]
    for (let y = 0, to = 0; y < size; y++) {
      const a = weights[3 * y]
      const b = weights[3 * y + 1]
      const c = weights[3 * y + 2]
      let i = first[y] * made
      for (let x = 0; x < size; x++, to++, i += 3) {
        const [j, k] = [i + made, i + 2 * made]
        const red = a * rows[i] + b * rows[j] + c * rows[k]
        const green = a * rows[i + 1] + b * rows[j + 1] + c * rows[k + 1]
        const blue = a * rows[i + 2] + b * rows[j + 2] + c * rows[k + 2]
        picture[to] = red * factor[0] + offset[0]
        picture[to + plane] = green * factor[1] + offset[1]
        picture[to + 2 * plane] = blue * factor[2] + offset[2]
      }
    }
  }
}
