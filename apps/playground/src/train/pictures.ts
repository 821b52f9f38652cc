import { seeded } from '@diffgrad/onnx'
import { shapes } from '@diffgrad/testing/shapes'

/** Edge of the pictures, in pixels. */
export const edge = 32

/** Pictures as the network sees them. */
export interface Batch {
  /** Between about −1 and 1 · pictures × 3 × edge × edge. */
  readonly input: Float32Array
  readonly target: readonly number[]
}

/** Drawn pictures, and what they show. */
export interface Pictures {
  /** RGB bytes · pictures × edge × edge × 3. */
  readonly pixels: Uint8Array<ArrayBuffer>
  readonly labels: Uint8Array
}

/** Draws pictures; those of another seed are others. */
export const draw = (count: number, seed: number): Pictures => shapes({ count, size: edge, seed })

/** The pictures of some numbers, channel by channel. */
export function batchOf({ pixels, labels }: Pictures, numbers: readonly number[]): Batch {
  const plane = edge * edge
  const input = new Float32Array(numbers.length * 3 * plane)
  for (const [k, n] of numbers.entries()) {
    for (let p = 0; p < plane; p++) {
      for (let channel = 0; channel < 3; channel++) {
        input[(3 * k + channel) * plane + p] = pixels[3 * (n * plane + p) + channel] / 127.5 - 1
      }
    }
  }
  return { input, target: numbers.map((n) => labels[n]) }
}

/** Batches of pictures, all of them once in random order before any comes again. */
export function* shuffled(
  count: number,
  batch: number,
  seed: number,
): Generator<readonly number[]> {
  const random = seeded(seed)
  for (;;) {
    const order = Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const k = Math.floor((i + 1) * random.uniform())
      ;[order[i], order[k]] = [order[k], order[i]]
    }
    for (let from = 0; from + batch <= count; from += batch) yield order.slice(from, from + batch)
  }
}
