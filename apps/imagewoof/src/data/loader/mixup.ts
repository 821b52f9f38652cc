import { randomBeta } from 'd3-random'
import type { Batch } from '../batch.ts'
import { type Draw, shuffled } from './random.ts'

/**
 * Blends every picture and its target with those of another of the batch (arXiv:1710.09412). The
 * share of the first is the larger of λ and 1 − λ, with λ from Beta(α, α) for each picture, so that
 * its label stays the one that counts.
 */
export function mixedUp({ images, targets, labels }: Batch, alpha: number, draw: Draw): Batch {
  const partners = shuffled(labels.length, draw)
  const beta = randomBeta.source(draw)(alpha, alpha)
  const shares = Array.from(labels, () => {
    const lambda = beta()
    return Math.max(lambda, 1 - lambda)
  })
  const blended = (rows: Float32Array): Float32Array<ArrayBuffer> => {
    const width = rows.length / labels.length
    const result = new Float32Array(rows.length)
    for (const [i, share] of shares.entries()) {
      const [own, other] = [i * width, partners[i] * width]
      for (let k = 0; k < width; k++) {
        result[own + k] = share * rows[own + k] + (1 - share) * rows[other + k]
      }
    }
    return result
  }
  return { images: blended(images), targets: blended(targets), labels }
}
