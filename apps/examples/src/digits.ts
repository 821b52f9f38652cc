import { seeded } from '@diffgrad/onnx'

/** The edge of a picture in pixels. */
export const size = 12

/** Five rows of three dots for each digit. */
const glyphs = [
  ...['###|#.#|#.#|#.#|###', '.#.|##.|.#.|.#.|###', '###|..#|###|#..|###', '###|..#|.##|..#|###'],
  ...['#.#|#.#|###|..#|..#', '###|#..|###|..#|###', '###|#..|###|#.#|###', '###|..#|.#.|.#.|.#.'],
  ...['###|#.#|###|#.#|###', '###|#.#|###|..#|###'],
].map((glyph) => glyph.split('|'))

/** Pictures of digits, as those of MNIST but drawn. */
export interface Digits {
  /** Brightness, about 0 to 1 · count × size × size. */
  readonly pixels: Float32Array
  /** 0 to 9 · count. */
  readonly labels: readonly number[]
}

/** Draws some of the ten digits, of another brightness and at another place each time, under noise. */
export function digits(count: number, seed: number, only = '0123456789'): Digits {
  const random = seeded(seed)
  const labels = Array.from({ length: count }, (_, i) => Number(only[i % only.length]))
  const pixels = Float32Array.from({ length: count * size * size }, () => 0.1 * random.normal())
  for (const [n, label] of labels.entries()) {
    const [left, top] = [2, 0].map((least) => least + Math.floor(3 * random.uniform()))
    const brightness = 0.5 + 0.5 * random.uniform()
    for (let y = 0; y < 10; y++)
      for (let x = 0; x < 6; x++)
        if (glyphs[label][y >> 1][x >> 1] === '#')
          pixels[(n * size + top + y) * size + left + x] += brightness
  }
  return { pixels, labels }
}
