import type { Batch } from '../batch.ts'
import type { Dataset, Split } from '../dataset.ts'
import { type Crop, mixup, permutation, randomCrop, randomStream } from './augment.ts'
import { Resampler } from './resample.ts'

/** How training batches are made. */
export interface BatchOptions {
  /** Batch size. */
  readonly batch: number
  /** Seed of the order and of all augmentation: a whole number of 32 bits. */
  readonly seed: number
  /** The smallest area of a random crop as a share of the image, in (0, 1]. */
  readonly crop: number
  /** Whether each image is mirrored with a probability of ½. */
  readonly flip: boolean
  /** α of mixup, 0 for none. */
  readonly mixup: number
  /** The share of a target that is spread over all classes, in [0, 1). */
  readonly labelSmoothing: number
}

/** The part of a data set that batches are built from. It is posted to worker threads. */
export interface LoaderData extends Pick<Dataset, 'size'> {
  /** Number of classes. */
  readonly classes: number
  readonly train: Omit<Split, 'files'>
  readonly validation: Omit<Split, 'files'>
}

/** The area of a stored square that is resampled, and whether it is mirrored. */
interface CropAndFlip {
  readonly crop: Crop
  readonly mirror: boolean
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
    const { train } = this.#data
    const { seed, crop, flip, mixup: alpha } = this.#options
    const random = randomStream(seed, epoch, index)
    const batch = this.#build('train', this.#trainIndices(epoch, index), (i) => ({
      crop: randomCrop(train.size, train.aspects[i], crop, random),
      mirror: flip && random() < 0.5,
    }))
    return alpha > 0 ? mixup(batch, alpha, random) : batch
  }

  /** A validation batch. The last one may be smaller. */
  validation(index: number): Batch {
    const { validation } = this.#data
    const { batch } = this.#options
    const { length } = validation.labels.subarray(index * batch, (index + 1) * batch)
    const edge = validation.size
    const whole = { crop: { left: 0, top: 0, width: edge, height: edge }, mirror: false }
    const indices = Uint32Array.from({ length }, (_, i) => index * batch + i)
    return this.#build('validation', indices, () => whole)
  }

  #trainIndices(epoch: number, index: number): Uint32Array {
    const { seed, batch } = this.#options
    if (this.#order?.epoch !== epoch) {
      const { length } = this.#data.train.labels
      this.#order = { epoch, indices: permutation(length, randomStream(seed, epoch)) }
    }
    return this.#order.indices.subarray(index * batch, (index + 1) * batch)
  }

  /** @param indices - of the images in the split. */
  #build(
    split: 'train' | 'validation',
    indices: Uint32Array,
    augment: (index: number) => CropAndFlip,
  ): Batch {
    const { size, classes } = this.#data
    const { size: edge, pixels, labels } = this.#data[split]
    const { labelSmoothing } = this.#options
    const [storedLength, imageLength] = [edge * edge * 3, size * size * 3]
    const resampler = this.#resamplers[split]
    const images = new Float32Array(indices.length * imageLength)
    const targets = new Float32Array(indices.length * classes).fill(labelSmoothing / classes)
    for (const [i, index] of indices.entries()) {
      const square = pixels.subarray(index * storedLength, (index + 1) * storedLength)
      const { crop, mirror } = augment(index)
      const image = images.subarray(i * imageLength, (i + 1) * imageLength)
      resampler.resample(square, crop, mirror, image)
      targets[i * classes + labels[index]] += 1 - labelSmoothing
    }
    return { images, targets, labels: Array.from(indices, (index) => labels[index]) }
  }
}
