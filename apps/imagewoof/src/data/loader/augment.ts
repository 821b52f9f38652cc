import { randomBeta } from 'd3-random'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import type { Batch } from '../batch.ts'

/** Returns uniform random numbers in [0, 1). */
export type Random = () => number

/** An independent random stream for each list of whole numbers. */
export function randomStream(...key: readonly number[]): Random {
  const seed = key.reduce((state, value) => hash32(state ^ value), 0)
  const state = [1, 2, 3, 4].map((k) => hash32(seed + k))
  const generator = xoroshiro128plusFromState(state)
  return () => uniformFloat64(generator)
}

/** The finalizer of MurmurHash3, which maps neighbouring numbers to unrelated ones. */
function hash32(x: number): number {
  let h = (x + 0x9e3779b9) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A random permutation of 0 … count − 1 (Fisher–Yates shuffle). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const other = Math.floor((i + 1) * random())
    ;[order[i], order[other]] = [order[other], order[i]]
  }
  return order
}

/** A rectangle in an image, in whole pixels. */
export interface Crop {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const cropAttempts = 10

const maxAspect = 4 / 3

/**
 * A random crop, as in the Inception paper (arXiv:1409.4842, section 6) and torchvision's
 * RandomResizedCrop: its share of the area is uniform in [minArea, 1], the logarithm of its aspect ratio
 * in [log ¾, log 4⁄3]. A crop that does not fit is drawn again; after ten attempts the result is the
 * largest centred crop whose aspect ratio is in range.
 *
 * @param edge - of the square that the image is stored in, in pixels.
 * @param aspect - width / height of the image before it was resized to the square.
 */
export function randomCrop(edge: number, aspect: number, minArea: number, random: Random): Crop {
  const pixels = (share: number): number => Math.max(Math.round(edge * share), 1)
  for (let attempt = 0; attempt < cropAttempts; attempt++) {
    const area = minArea + (1 - minArea) * random()
    const ratio = maxAspect ** (2 * random() - 1)
    const width = pixels(Math.sqrt((area * ratio) / aspect))
    const height = pixels(Math.sqrt((area * aspect) / ratio))
    if (width > edge || height > edge) continue
    const left = Math.floor((edge - width + 1) * random())
    const top = Math.floor((edge - height + 1) * random())
    return { left, top, width, height }
  }
  const width = pixels(Math.min(maxAspect / aspect, 1))
  const height = pixels(Math.min(maxAspect * aspect, 1))
  return {
    left: Math.floor((edge - width) / 2),
    top: Math.floor((edge - height) / 2),
    width,
    height,
  }
}

/**
 * Mixup (arXiv:1710.09412): blends every image and its target with those of another image of the batch.
 * The weight of the first is max(λ, 1 − λ), with λ ~ Beta(α, α) for each image, so that its label stays
 * the dominant one.
 */
export function mixup({ images, targets, labels }: Batch, alpha: number, random: Random): Batch {
  const partners = permutation(labels.length, random)
  const beta = randomBeta.source(random)(alpha, alpha)
  const weights = Array.from(labels, () => {
    const lambda = beta()
    return Math.max(lambda, 1 - lambda)
  })
  const blend = (rows: Float32Array): Float32Array<ArrayBuffer> => {
    const width = rows.length / labels.length
    const result = new Float32Array(rows.length)
    for (const [i, weight] of weights.entries()) {
      const [own, other] = [i * width, partners[i] * width]
      for (let k = 0; k < width; k++) {
        result[own + k] = weight * rows[own + k] + (1 - weight) * rows[other + k]
      }
    }
    return result
  }
  return { images: blend(images), targets: blend(targets), labels }
}
