import { kinds } from './kinds.ts'
import { randomOf } from './random.ts'
import { render } from './render.ts'
import { sceneFrom } from './scene.ts'

/** What the labels mean. */
export const classes: readonly string[] = kinds.map(({ name }) => name)

/** Which pictures to draw. */
export interface ShapesOptions {
  readonly count: number
  /** Edge of the square pictures, in pixels; 64 unless told. */
  readonly size?: number
  /** A whole number; 0 unless told. Pictures of another seed are other pictures. */
  readonly seed?: number
}

/** Drawn pictures. */
export interface Shapes {
  /** RGB bytes · count × size × size × 3. */
  readonly pixels: Uint8Array<ArrayBuffer>
  /** An index into `classes` for each picture. */
  readonly labels: Uint8Array<ArrayBuffer>
}

/**
 * Draws pictures, all classes in turn. A picture is a function of the seed and its own number, so the
 * first ones of a longer set are the shorter set.
 *
 * @throws RangeError when an option is not a whole number, or too small.
 */
export function shapes({ count, size = 64, seed = 0 }: ShapesOptions): Shapes {
  check('count', count, 0)
  check('size', size, 8)
  check('seed', seed, Number.MIN_SAFE_INTEGER)
  const bytes = size * size * 3
  const pixels = new Uint8Array(count * bytes)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % kinds.length)
  for (const [i, label] of labels.entries()) {
    const random = randomOf(seed, i)
    const scene = sceneFrom(kinds[label], random)
    render(scene, size, random, pixels.subarray(i * bytes, (i + 1) * bytes))
  }
  return { pixels, labels }
}

function check(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  const rule = least < 0 ? 'a whole number' : `a whole number, at least ${least}`
  throw new RangeError(`shapes: ${name} must be ${rule}, but is ${value}`)
}
