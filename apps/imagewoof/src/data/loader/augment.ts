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

/** Of drawing a rectangle that fits. */
const attempts = 10

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
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = minArea + (1 - minArea) * random()
    const ratio = maxAspect ** (2 * random() - 1)
    const width = pixels(Math.sqrt((area * ratio) / aspect))
    const height = pixels(Math.sqrt((area * aspect) / ratio))
    if (width > edge || height > edge) continue
    const left = Math.floor((edge - width + 1) * random())
    const top = Math.floor((edge - height + 1) * random())
    return { left, top, width, height }
  }
  return centredCrop(edge, aspect, maxAspect)
}

/**
 * The largest centred crop of an image whose aspect ratio is between 1 / `maxRatio` and `maxRatio`.
 *
 * @param edge - of the square that the image is stored in, in pixels.
 * @param aspect - width / height of the image before it was resized to the square.
 */
export function centredCrop(edge: number, aspect: number, maxRatio: number): Crop {
  const width = Math.max(Math.round(edge * Math.min(maxRatio / aspect, 1)), 1)
  const height = Math.max(Math.round(edge * Math.min(maxRatio * aspect, 1)), 1)
  const [left, top] = [Math.floor((edge - width) / 2), Math.floor((edge - height) / 2)]
  return { left, top, width, height }
}

/** How an image is padded. */
export interface Padding {
  /** Pixels on each side, below the size of the image. */
  readonly pad: number
  /** A value per channel, or the reflection of the image about its outermost pixels. */
  readonly fill: 'reflect' | readonly number[]
}

/**
 * Pads an image of 3 × size × size elements, and crops it to its own size at a random position, in place.
 *
 * @see He et al., "Deep Residual Learning for Image Recognition", arXiv:1512.03385, section 4.2, which
 * pads with zeros; reflection as in fastai, which leaves no edges.
 */
export function padAndCrop(
  image: Float32Array,
  size: number,
  { pad, fill }: Padding,
  random: Random,
): void {
  const original = image.slice()
  const offset = (): number => Math.floor((2 * pad + 1) * random()) - pad
  const [dx, dy] = [offset(), offset()]
  const reflect = (at: number): number => size - 1 - Math.abs(size - 1 - Math.abs(at))
  const isInside = (at: number): boolean => at >= 0 && at < size
  for (let channel = 0, to = 0; channel < 3; channel++)
    for (let y = dy; y < size + dy; y++) {
      const row = (channel * size + reflect(y)) * size
      for (let x = dx; x < size + dx; x++, to++)
        image[to] =
          fill === 'reflect' || (isInside(x) && isInside(y))
            ? original[row + reflect(x)]
            : fill[channel]
    }
}

const erasedArea = { min: 0.02, max: 0.33 }

const erasedAspect = { min: 0.3, max: 3.3 }

/**
 * Random erasing, with the defaults of torchvision's RandomErasing: with a probability, sets a rectangle
 * of an image to 0, the mean of ImageNet, in place. The rectangle's share of the area is uniform in [0.02,
 * 0.33], the logarithm of its aspect ratio in [log 0.3, log 3.3]. A rectangle that does not fit is drawn
 * again; after ten attempts the image stays as it is.
 *
 * @param image - 3 × size × size.
 * @see Zhong et al., "Random Erasing Data Augmentation", arXiv:1708.04896.
 */
export function randomErase(
  image: Float32Array,
  size: number,
  probability: number,
  random: Random,
): void {
  if (random() >= probability) return
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = size * size * (erasedArea.min + (erasedArea.max - erasedArea.min) * random())
    const ratio = erasedAspect.min * (erasedAspect.max / erasedAspect.min) ** random()
    const height = Math.round(Math.sqrt(area * ratio))
    const width = Math.round(Math.sqrt(area / ratio))
    if (height >= size || width >= size) continue
    const top = Math.floor((size - height + 1) * random())
    const left = Math.floor((size - width + 1) * random())
    for (let row = 0; row < 3 * height; row++) {
      const y = top + (row % height)
      const start = (Math.floor(row / height) * size + y) * size + left
      image.fill(0, start, start + width)
    }
    return
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

/**
 * Multiplies the targets of a batch by class weights w, in place, so that the mean cross-entropy of the
 * batch becomes −Σ w·q·log p / Σ w·t over images and classes, where q are the smoothed targets and t the
 * targets before label smoothing. Without mixup this is PyTorch's CrossEntropyLoss of class indices with
 * `weight`, `label_smoothing` and reduction `mean`.
 */
export function weightTargets(
  { targets, labels }: Batch,
  weights: readonly number[],
  labelSmoothing: number,
): void {
  const classes = weights.length
  const sum = weights.reduce((a, b) => a + b)
  let weighted = 0
  for (const [i, target] of targets.entries()) weighted += weights[i % classes] * target
  // Smoothed targets are (1 − ε)·t + ε / classes.
  const divisor =
    (weighted - (labels.length * labelSmoothing * sum) / classes) / (1 - labelSmoothing)
  for (const [i, target] of targets.entries())
    targets[i] = (target * weights[i % classes] * labels.length) / divisor
}
