import { imageNet } from '../image-net.ts'
import type { Crop } from './crop.ts'
import { type Taps, tapsOf } from './taps.ts'

const { mean, deviation } = imageNet

// value / 255, less the mean, over the deviation.
const factor = deviation.map((d) => 1 / (255 * d))
const offset = mean.map((m, channel) => -m / deviation[channel])

/** What a byte could hold: Lanczos resampling overshoots. */
const clipped = (value: number): number => Math.min(Math.max(value, 0), 255)

/**
 * Resizes parts of stored squares to what a network sees. Like validation pictures they are resampled
 * by Lanczos: pictures that are less sharp in training than in validation cost accuracy.
 *
 * This is where a loader spends its time. The first loop runs down the columns, so that its weights
 * stay at hand.
 */
export class Resampler {
  readonly #edge: number
  readonly #size: number
  /** The rows of a crop, already as wide as the picture · edge × size × 3. */
  readonly #rows: Float32Array
  /** For a crop of each length, from 1. */
  readonly #taps: readonly Taps[]

  /**
   * @param edge - of the stored squares.
   * @param size - edge of the pictures.
   */
  constructor(edge: number, size: number) {
    this.#edge = edge
    this.#size = size
    this.#rows = new Float32Array(edge * size * 3)
    this.#taps = Array.from({ length: edge }, (_, i) => tapsOf(i + 1, size))
  }

  /**
   * @param square - RGB bytes · edge × edge × 3.
   * @param mirror - whether left and right change places.
   * @param picture - normalized by ImageNet's statistics · 3 × size × size.
   */
  resample(square: Uint8Array, crop: Crop, mirror: boolean, picture: Float32Array): void {
    this.#narrow(square, crop, mirror)
    this.#shorten(crop, picture)
  }

  #narrow(square: Uint8Array, { left, top, width, height }: Crop, mirror: boolean): void {
    const [rows, size] = [this.#rows, this.#size]
    const { count, first, weights } = this.#taps[width - 1]
    const [stored, made] = [3 * this.#edge, 3 * size]
    for (let x = 0; x < size; x++) {
      const row = weights.subarray(x * count, (x + 1) * count)
      let from = top * stored + 3 * (left + first[x])
      let to = 3 * (mirror ? size - 1 - x : x)
      for (let y = 0; y < height; y++, from += stored, to += made) {
        let [red, green, blue] = [0, 0, 0]
        for (let k = 0, i = from; k < count; k++, i += 3) {
          red += row[k] * square[i]
          green += row[k] * square[i + 1]
          blue += row[k] * square[i + 2]
        }
        rows[to] = red
        rows[to + 1] = green
        rows[to + 2] = blue
      }
    }
  }

  #shorten({ height }: Crop, picture: Float32Array): void {
    const [rows, size] = [this.#rows, this.#size]
    const { count, first, weights } = this.#taps[height - 1]
    const [made, plane] = [3 * size, size * size]
    for (let y = 0, to = 0; y < size; y++) {
      const row = weights.subarray(y * count, (y + 1) * count)
      let from = first[y] * made
      for (let x = 0; x < size; x++, to++, from += 3) {
        let [red, green, blue] = [0, 0, 0]
        for (let k = 0, i = from; k < count; k++, i += made) {
          red += row[k] * rows[i]
          green += row[k] * rows[i + 1]
          blue += row[k] * rows[i + 2]
        }
        picture[to] = clipped(red) * factor[0] + offset[0]
        picture[to + plane] = clipped(green) * factor[1] + offset[1]
        picture[to + 2 * plane] = clipped(blue) * factor[2] + offset[2]
      }
    }
  }
}
