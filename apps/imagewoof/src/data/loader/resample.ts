import { imageNetStatistics } from '../batch.ts'
import type { Crop } from './augment.ts'

/** The filter taps of a one-dimensional resampling. */
interface Taps {
  /** Taps for each resampled pixel. */
  readonly count: number
  /** Index of the first stored pixel for each resampled one. */
  readonly first: Int32Array
  /** Rows of `count` weights that sum to 1 · resampled pixels × count. */
  readonly weights: Float64Array
}

const lobes = 3

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** sinc(x)·sinc(x⁄3) for |x| < 3. */
const lanczos = (x: number): number => (Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0)

/**
 * The taps of antialiased Lanczos resampling, as in Pillow: the radius is three times the distance of two
 * resampled pixels, and at least three stored pixels. Pixels beyond the ends have no weight.
 *
 * @param length - stored pixels.
 * @param size - resampled pixels.
 * @param span - length of the central interval that is resampled, in stored pixels.
 */
function lanczosTaps(length: number, size: number, span = length): Taps {
  const scale = span / size
  const filterScale = Math.max(scale, 1)
  const radius = lobes * filterScale
  const count = Math.min(Math.ceil(2 * radius), length)
  const first = new Int32Array(size)
  const weights = new Float64Array(count * size)
  for (let i = 0; i < size; i++) {
    const centre = (length - span) / 2 + (i + 0.5) * scale
    first[i] = Math.max(Math.min(Math.floor(centre - radius + 0.5), length - count), 0)
    const row = Array.from({ length: count }, (_, k) =>
      lanczos((first[i] + k + 0.5 - centre) / filterScale),
    )
    const sum = row.reduce((a, b) => a + b)
    weights.set(
      row.map((weight) => weight / sum),
      i * count,
    )
  }
  return { count, first, weights }
}

/** Clamps to the range of a byte: Lanczos resampling overshoots. */
const clamp = (value: number): number => Math.min(Math.max(value, 0), 255)

/** An image of RGB bytes · height × width × 3. */
export interface Pixels {
  readonly pixels: Uint8Array
  readonly width: number
  readonly height: number
}

/**
 * The share of an image's shorter side that the network sees in validation, unless it is set: 224 of 256
 * pixels.
 */
export const centralShare = 0.875

/** Images with a longer side than this are first reduced to it, in pixels. */
export const longestSide = 2048

/** The width and height of an image after its longer side is reduced to `longestSide`. */
export function limitedSize(width: number, height: number): readonly [number, number] {
  const longest = Math.max(width, height, longestSide)
  const limit = (side: number): number => Math.max(Math.floor((side * longestSide) / longest), 1)
  return [limit(width), limit(height)]
}

/**
 * Resizes the central square of an image, a share of its shorter side, to RGB bytes · size × size × 3.
 * `preprocessing` expresses the same as ONNX operators.
 */
export function resizeCentre(
  { pixels, width, height }: Pixels,
  size: number,
  share: number,
): Uint8Array {
  const span = share * Math.min(width, height)
  const [columns, rows] = [lanczosTaps(width, size, span), lanczosTaps(height, size, span)]
  const [begin, end] = [rows.first[0], rows.first[size - 1] + rows.count]
  const resized = new Float64Array((end - begin) * size * 3)
  for (let x = 0; x < size; x++) {
    const taps = columns.weights.subarray(x * columns.count, (x + 1) * columns.count)
    for (let y = begin; y < end; y++) {
      let [red, green, blue] = [0, 0, 0]
      for (let k = 0, i = 3 * (y * width + columns.first[x]); k < taps.length; k++, i += 3) {
        red += taps[k] * pixels[i]
        green += taps[k] * pixels[i + 1]
        blue += taps[k] * pixels[i + 2]
      }
      resized.set([red, green, blue], 3 * ((y - begin) * size + x))
    }
  }
  const square = new Uint8Array(size * size * 3)
  const stride = 3 * size
  for (let y = 0, to = 0; y < size; y++) {
    const taps = rows.weights.subarray(y * rows.count, (y + 1) * rows.count)
    for (let i = 0; i < stride; i++, to++) {
      let sum = 0
      for (
        let k = 0, from = (rows.first[y] - begin) * stride + i;
        k < taps.length;
        k++, from += stride
      )
        sum += taps[k] * resized[from]
      square[to] = Math.round(clamp(sum))
    }
  }
  return square
}

const { mean, deviation } = imageNetStatistics

// (value / 255 − mean) / deviation = value · factor + offset.
const factor = deviation.map((d) => 1 / (255 * d))
const offset = mean.map((m, channel) => -m / deviation[channel])

/**
 * Resizes crops of stored squares to the network's input. It uses the Lanczos filter of the validation
 * images: training images that are less sharp than validation images cost accuracy.
 *
 * The loader spends most of its time here. The outer loop of the horizontal pass runs over the columns,
 * so that the weights of a column stay in the cache.
 */
export class Resampler {
  readonly #edge: number
  readonly #size: number
  /** Rows of a crop after the horizontal pass · edge × size × 3. */
  readonly #rows: Float32Array
  /** Taps for crops of each length, from 1. */
  readonly #taps: readonly Taps[]

  /**
   * @param edge - of the stored squares, in pixels.
   * @param size - edge of the resized images, in pixels.
   */
  constructor(edge: number, size: number) {
    this.#edge = edge
    this.#size = size
    this.#rows = new Float32Array(edge * size * 3)
    this.#taps = Array.from({ length: edge }, (_, i) => lanczosTaps(i + 1, size))
  }

  /**
   * @param square - RGB bytes · edge × edge × 3.
   * @param mirror - whether the image is flipped horizontally.
   * @param image - receives the result, normalized by ImageNet's statistics · 3 × size × size.
   */
  resample(square: Uint8Array, crop: Crop, mirror: boolean, image: Float32Array): void {
    this.#resizeHorizontally(square, crop, mirror)
    this.#resizeVertically(crop, image)
  }

  #resizeHorizontally(
    square: Uint8Array,
    { left, top, width, height }: Crop,
    mirror: boolean,
  ): void {
    const [rows, size] = [this.#rows, this.#size]
    const { count, first, weights } = this.#taps[width - 1]
    const [storedRow, resizedRow] = [3 * this.#edge, 3 * size]
    for (let x = 0; x < size; x++) {
      const row = weights.subarray(x * count, (x + 1) * count)
      let from = top * storedRow + 3 * (left + first[x])
      let to = 3 * (mirror ? size - 1 - x : x)
      for (let y = 0; y < height; y++, from += storedRow, to += resizedRow) {
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

  #resizeVertically({ height }: Crop, image: Float32Array): void {
    const [rows, size] = [this.#rows, this.#size]
    const { count, first, weights } = this.#taps[height - 1]
    const [resizedRow, plane] = [3 * size, size * size]
    for (let y = 0, to = 0; y < size; y++) {
      const row = weights.subarray(y * count, (y + 1) * count)
      let from = first[y] * resizedRow
      for (let x = 0; x < size; x++, to++, from += 3) {
        let [red, green, blue] = [0, 0, 0]
        for (let k = 0, i = from; k < count; k++, i += resizedRow) {
          red += row[k] * rows[i]
          green += row[k] * rows[i + 1]
          blue += row[k] * rows[i + 2]
        }
        image[to] = clamp(red) * factor[0] + offset[0]
        image[to + plane] = clamp(green) * factor[1] + offset[1]
        image[to + 2 * plane] = clamp(blue) * factor[2] + offset[2]
      }
    }
  }
}
