import { shapes } from '@diffgrad/testing/shapes'

/** Width and height of the pictures, in pixels. */
export const edge = 32

/** Labelled pictures. */
export interface Pictures {
  /** RGB bytes · pictures × edge × edge × 3. */
  readonly pixels: Uint8Array<ArrayBuffer>
  readonly labels: Uint8Array
}

/** Draws pictures of ten kinds of shapes from a seed. */
export const drawPictures = (count: number, seed: number): Pictures =>
  shapes({ count, size: edge, seed })

/** A batch in the layout of the network. */
export interface Batch {
  /** In [−1, 1] · pictures × 3 × edge × edge. */
  readonly input: Float32Array
  readonly target: readonly number[]
}

/** Selects pictures by index, and converts them to the layout of the network. */
export function toBatch({ pixels, labels }: Pictures, indices: readonly number[]): Batch {
  const plane = edge * edge
  const input = new Float32Array(indices.length * 3 * plane)
  for (const [k, n] of indices.entries()) {
    for (let p = 0; p < plane; p++) {
      for (let channel = 0; channel < 3; channel++) {
        input[(3 * k + channel) * plane + p] = pixels[3 * (n * plane + p) + channel] / 127.5 - 1
      }
    }
  }
  return { input, target: indices.map((n) => labels[n]) }
}
