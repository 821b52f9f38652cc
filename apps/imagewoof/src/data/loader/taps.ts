/** Which stored pixels a resampled one is made of along an axis: some neighbours. */
export interface Taps {
  /** How many. */
  readonly count: number
  /** The first of them, of each resampled pixel. */
  readonly first: Int32Array
  /** Rows of `count` that sum to 1. */
  readonly weights: Float64Array
}

const lobes = 3

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** sinc(x)·sinc(x⁄3) for |x| < 3. */
const lanczos = (x: number): number => (Math.abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0)

/**
 * The weights of antialiased Lanczos resampling, as of Pillow: the window is as wide as three times the
 * distance of two resampled pixels, but no narrower than three stored ones. What would lie beyond the
 * ends has no weight.
 *
 * @param length - stored pixels.
 * @param size - resampled pixels.
 */
export function tapsOf(length: number, size: number): Taps {
  const scale = length / size
  const stretch = Math.max(scale, 1)
  const radius = lobes * stretch
  const count = Math.min(Math.ceil(2 * radius), length)
  const first = new Int32Array(size)
  const weights = new Float64Array(count * size)
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale
    first[i] = Math.max(Math.min(Math.floor(centre - radius + 0.5), length - count), 0)
    const row = Array.from({ length: count }, (_, k) =>
      lanczos((first[i] + k + 0.5 - centre) / stretch),
    )
    const sum = row.reduce((a, b) => a + b)
    weights.set(
      row.map((weight) => weight / sum),
      i * count,
    )
  }
  return { count, first, weights }
}
