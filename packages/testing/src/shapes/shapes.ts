import { shapeClasses } from './classes.ts'
import { createRandom } from './random.ts'
import { render } from './render.ts'
import { randomScene } from './scene.ts'

/** The names of the classes; a label is an index into it. */
export const classes: readonly string[] = shapeClasses.map(({ name }) => name)

/** The size of the data set and its seed. */
export interface ShapesOptions {
  readonly count: number
  /** The edge of the square pictures in pixels, at least 8; 64 by default. */
  readonly size?: number
  /** A whole number; 0 by default. Other seeds give other pictures. */
  readonly seed?: number
}

/** A data set of rendered pictures. */
export interface Shapes {
  /** RGB bytes · count × size × size × 3. */
  readonly pixels: Uint8Array<ArrayBuffer>
  /** An index into `classes` for each picture. */
  readonly labels: Uint8Array<ArrayBuffer>
}

/**
 * Renders pictures of bodies, the classes alternating. A picture depends only on the seed and its index,
 * so a shorter set is the beginning of a longer one.
 *
 * @throws RangeError if an option is not a whole number or is too small.
 */
export function shapes({ count, size = 64, seed = 0 }: ShapesOptions): Shapes {
  check('count', count, 0)
  check('size', size, 8)
  check('seed', seed, Number.MIN_SAFE_INTEGER)
  const bytes = size * size * 3
  const pixels = new Uint8Array(count * bytes)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % shapeClasses.length)
  for (const [i, label] of labels.entries()) {
    const random = createRandom(seed, i)
    const scene = randomScene(shapeClasses[label], random)
    render(scene, size, random, pixels.subarray(i * bytes, (i + 1) * bytes))
  }
  return { pixels, labels }
}

function check(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  const rule = least < 0 ? 'a whole number' : `a whole number, at least ${least}`
  throw new RangeError(`shapes: ${name} must be ${rule}, but is ${value}`)
}
