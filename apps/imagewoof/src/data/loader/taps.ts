/** Which stored pixels a resampled one is made of along an axis: three neighbours. */
export interface Taps {
  /** The first of the three. */
  readonly first: Int32Array
  /** Rows of three that sum to 1. */
  readonly weights: Float64Array
}

/**
 * The weights of a triangle as wide as the distance of two resampled pixels, but no narrower than that
 * of two stored ones: antialiased bilinear resampling, as of Pillow and torchvision. Up to a scale of
 * 1.5, three pixels have all the weight. What would lie beyond the ends has none.
 *
 * @param length - stored pixels, at least 3 for the taps to be of use.
 * @param size - resampled pixels.
 */
export function tapsOf(length: number, size: number): Taps {
  const scale = length / size
  const radius = Math.max(scale, 1)
  const first = new Int32Array(size)
  const weights = new Float64Array(3 * size)
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale
    first[i] = Math.max(Math.min(Math.floor(centre - radius + 0.5), length - 3), 0)
    const taps = [0, 1, 2].map((k) =>
      Math.max(1 - Math.abs(first[i] + k + 0.5 - centre) / radius, 0),
    )
    const sum = taps[0] + taps[1] + taps[2]
    weights.set(
      taps.map((weight) => weight / sum),
      3 * i,
    )
  }
  return { first, weights }
}
