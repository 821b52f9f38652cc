import type { Crop } from './crop.ts'

/** ImageNet's mean and deviation, of values from 0 to 1. */
export const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const

const factor = imageNet.deviation.map((deviation) => 1 / (255 * deviation))
const offset = imageNet.mean.map((mean, channel) => -mean / imageNet.deviation[channel])

/** Which pixels a resampled one is made of, along one axis. */
interface Taps {
  readonly first: Int32Array
  /** How many pixels, the same for all. */
  readonly count: number
  /** Rows of `count` that sum to 1. */
  readonly weights: Float32Array
}

/**
 * Resizes parts of stored squares to pictures that a network sees. The filter is a triangle, as wide
 * as the distance of two resampled pixels but no narrower than that of two stored ones: antialiased
 * bilinear resampling, as of Pillow and torchvision.
 *
 * @param edge - of the stored squares.
 * @param size - of the pictures made.
 */
export class Resampler {
  readonly #edge: number
  readonly #size: number
  /** Rows of the crop, already of the new width · rows × size × 3. */
  readonly #rows: Float32Array
  /** Of every length that a crop can have, from 1. */
  readonly #taps: readonly Taps[]

  constructor(edge: number, size: number) {
    this.#edge = edge
    this.#size = size
    this.#rows = new Float32Array(edge * size * 3)
    this.#taps = Array.from({ length: edge }, (_, i) => tapsOf(i + 1, size))
  }

  /**
   * @param square - RGB bytes · edge × edge × 3.
   * @param flip - whether left and right change places.
   * @param picture - normalized by ImageNet's statistics · 3 × size × size.
   */
  resample(square: Uint8Array, crop: Crop, flip: boolean, picture: Float32Array): void {
    this.#narrow(square, crop, flip)
    this.#shorten(crop.height, picture)
  }

  #narrow(square: Uint8Array, { left, top, width, height }: Crop, flip: boolean): void {
    const [rows, size] = [this.#rows, this.#size]
    const { first, count, weights } = this.#taps[width - 1]
    for (let y = 0; y < height; y++) {
      const row = 3 * ((top + y) * this.#edge + left)
      for (let x = 0; x < size; x++) {
        let from = row + 3 * first[x]
        let [red, green, blue] = [0, 0, 0]
        for (let k = x * count; k < (x + 1) * count; k++, from += 3) {
          const weight = weights[k]
          red += weight * square[from]
          green += weight * square[from + 1]
          blue += weight * square[from + 2]
        }
        const to = 3 * (y * size + (flip ? size - 1 - x : x))
        rows[to] = red
        rows[to + 1] = green
        rows[to + 2] = blue
      }
    }
  }

  #shorten(height: number, picture: Float32Array): void {
    const [rows, size] = [this.#rows, this.#size]
    const { first, count, weights } = this.#taps[height - 1]
    const stride = 3 * size
    for (let y = 0, i = 0; y < size; y++) {
      for (let x = 0; x < size; x++, i++) {
        let from = first[y] * stride + 3 * x
        let [red, green, blue] = [0, 0, 0]
        for (let k = y * count; k < (y + 1) * count; k++, from += stride) {
          const weight = weights[k]
          red += weight * rows[from]
          green += weight * rows[from + 1]
          blue += weight * rows[from + 2]
        }
        picture[i] = red * factor[0] + offset[0]
        picture[i + size * size] = green * factor[1] + offset[1]
        picture[i + 2 * size * size] = blue * factor[2] + offset[2]
      }
    }
  }
}

/** Beyond the ends of the crop there is nothing: the pixels inside share the weight. */
function tapsOf(length: number, size: number): Taps {
  const scale = length / size
  const radius = Math.max(scale, 1)
  const count = Math.min(Math.ceil(2 * radius) + 1, length)
  const first = new Int32Array(size)
  const weights = new Float32Array(size * count)
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale
    const begin = Math.min(Math.max(Math.floor(centre - radius + 0.5), 0), length - count)
    const row = Float64Array.from({ length: count }, (_, k) =>
      Math.max(0, 1 - Math.abs(begin + k + 0.5 - centre) / radius),
    )
    const sum = row.reduce((a, b) => a + b)
    first[i] = begin
    weights.set(
      row.map((weight) => weight / sum),
      i * count,
    )
  }
  return { first, count, weights }
}
