import { type Batch, imageNetStatistics } from '../batch.ts'
import type { Dataset, Split } from '../dataset.ts'
import {
  type Crop,
  centredCrop,
  mixup,
  padAndCrop,
  permutation,
  type Random,
  randomCrop,
  randomErase,
  randomStream,
  weightTargets,
} from './augment.ts'
import { Resampler } from './resample.ts'

/** A black pixel as the network sees it. */
const black = imageNetStatistics.mean.map((mean, c) => -mean / imageNetStatistics.deviation[c])

/** How training batches are made. */
export interface BatchOptions {
  /** Batch size. */
  readonly batch: number
  /** Seed of the order and of all augmentation: a whole number of 32 bits. */
  readonly seed: number
  /** The smallest area of a random crop as a share of the image, in (0, 1]. */
  readonly crop: number
  /** Pixels of padding before a crop at a random position, which replaces random crops; 0 for none. */
  readonly pad: number
  /** What padding consists of. Default `reflect`. */
  readonly padMode?: 'reflect' | 'zeros' | undefined
  /** Whether each image is mirrored with a probability of ½. */
  readonly flip: boolean
  /** The probability that a rectangle of an image is erased, in [0, 1]. */
  readonly erase: number
  /** α of mixup, 0 for none. */
  readonly mixup: number
  /** The share of a target that is spread over all classes, in [0, 1). */
  readonly labelSmoothing: number
  /** The weight of each class in the loss; undefined if all are 1. */
  readonly classWeights?: readonly number[] | undefined
}

/** The part of a data set that batches are built from. It is posted to worker threads. */
export interface LoaderData extends Pick<Dataset, 'size'> {
  /** Number of classes. */
  readonly classes: number
  readonly train: Omit<Split, 'files'>
  readonly validation: Omit<Split, 'files'>
}

/** Builds any batch from its index alone. */
export class BatchBuilder {
  readonly #data: LoaderData
  readonly #options: BatchOptions
  readonly #resamplers: { readonly train: Resampler; readonly validation: Resampler }
  /** The order of the latest epoch. */
  #order: { readonly epoch: number; readonly indices: Uint32Array } | undefined

  constructor(data: LoaderData, options: BatchOptions) {
    this.#data = data
    this.#options = options
    const { size, train, validation } = data
    this.#resamplers = {
      train: new Resampler(train.size, size),
      validation: new Resampler(validation.size, size),
    }
  }

  /** A training batch. No image occurs twice in an epoch. */
  train(epoch: number, index: number): Batch {
    const { seed, mixup: alpha, labelSmoothing, classWeights } = this.#options
    const random = randomStream(seed, epoch, index)
    const indices = this.#trainIndices(epoch, index)
    const images = this.#build('train', indices, (...image) => this.#augment(random, ...image))
    const batch = alpha > 0 ? mixup(images, alpha, random) : images
    if (classWeights) weightTargets(batch, classWeights, labelSmoothing)
    return batch
  }

  /** Writes a random view of a training image. */
  #augment(random: Random, index: number, square: Uint8Array, image: Float32Array): void {
    const { size, train } = this.#data
    const { crop: minArea, pad, padMode, flip, erase } = this.#options
    const fill = padMode === 'zeros' ? black : 'reflect'
    const aspect = train.aspects[index]
    const crop =
      pad > 0 ? centredCrop(train.size, aspect, 1) : randomCrop(train.size, aspect, minArea, random)
    const mirror = flip && random() < 0.5
    this.#resamplers.train.resample(square, crop, mirror, image)
    if (pad > 0) padAndCrop(image, size, { pad, fill }, random)
    if (erase > 0) randomErase(image, size, erase, random)
  }

  /** A validation batch. The last one may be smaller. */
  validation(index: number): Batch {
    const { validation } = this.#data
    const { batch } = this.#options
    const { length } = validation.labels.subarray(index * batch, (index + 1) * batch)
    const edge = validation.size
    const whole: Crop = { left: 0, top: 0, width: edge, height: edge }
    const indices = Uint32Array.from({ length }, (_, i) => index * batch + i)
    return this.#build('validation', indices, (_, square, image) =>
      this.#resamplers.validation.resample(square, whole, false, image),
    )
  }

  #trainIndices(epoch: number, index: number): Uint32Array {
    const { seed, batch } = this.#options
    if (this.#order?.epoch !== epoch) {
      const { length } = this.#data.train.labels
      this.#order = { epoch, indices: permutation(length, randomStream(seed, epoch)) }
    }
    return this.#order.indices.subarray(index * batch, (index + 1) * batch)
  }

  /**
   * @param indices - of the images in the split.
   * @param resample - writes the image with an index, stored as a square, in the network's input size.
   */
  #build(
    split: 'train' | 'validation',
    indices: Uint32Array,
    resample: (index: number, square: Uint8Array, image: Float32Array) => void,
  ): Batch {
    const { size, classes } = this.#data
    const { size: edge, pixels, labels } = this.#data[split]
    const { labelSmoothing } = this.#options
    const [storedLength, imageLength] = [edge * edge * 3, size * size * 3]
    const images = new Float32Array(indices.length * imageLength)
    const targets = new Float32Array(indices.length * classes).fill(labelSmoothing / classes)
    for (const [i, index] of indices.entries()) {
      const square = pixels.subarray(index * storedLength, (index + 1) * storedLength)
      resample(index, square, images.subarray(i * imageLength, (i + 1) * imageLength))
      targets[i * classes + labels[index]] += 1 - labelSmoothing
    }
    return { images, targets, labels: Array.from(indices, (index) => labels[index]) }
  }
}
