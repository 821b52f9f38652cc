import type { Batch } from '../batch.ts'
import type { Dataset, Split } from '../dataset.ts'
import { type Crop, randomCrop } from './crop.ts'
import { mixedUp } from './mixup.ts'
import { drawsOf, shuffled } from './random.ts'
import { Resampler } from './resample.ts'

/** What a training batch is made like. */
export interface Assembly {
  /** Pictures a batch. */
  readonly batch: number
  /** Where all that is drawn starts from: a whole number of 32 bits. */
  readonly seed: number
  /** The smallest share of a picture that a random crop keeps, in (0, 1]. */
  readonly crop: number
  /** Whether half of the pictures are mirrored. */
  readonly flip: boolean
  /** α of mixup, 0 for none. */
  readonly mixup: number
  /** The share of a target that is spread over all classes, in [0, 1). */
  readonly labelSmoothing: number
}

/** What of a data set batches are made from: something that a worker can be sent. */
export interface Pictures extends Pick<Dataset, 'size'> {
  /** How many classes there are. */
  readonly classes: number
  readonly train: Omit<Split, 'files'>
  readonly validation: Omit<Split, 'files'>
}

/** Makes any batch from its number alone. */
export class Assembler {
  readonly #pictures: Pictures
  readonly #assembly: Assembly
  readonly #resamplers: { readonly train: Resampler; readonly validation: Resampler }
  #order: { readonly epoch: number; readonly places: Uint32Array } | undefined

  constructor(pictures: Pictures, assembly: Assembly) {
    this.#pictures = pictures
    this.#assembly = assembly
    const { size, train, validation } = pictures
    this.#resamplers = {
      train: new Resampler(train.size, size),
      validation: new Resampler(validation.size, size),
    }
  }

  /** No picture comes twice in an epoch. */
  train(epoch: number, number: number): Batch {
    const { train } = this.#pictures
    const { seed, crop, flip, mixup } = this.#assembly
    const draw = drawsOf(seed, epoch, number)
    const batch = this.#batch('train', this.#placesOf(epoch, number), (place) => ({
      crop: randomCrop(train.size, train.aspects[place], crop, draw),
      mirror: flip && draw() < 0.5,
    }))
    return mixup > 0 ? mixedUp(batch, mixup, draw) : batch
  }

  /** The last batch may be shorter. */
  validation(number: number): Batch {
    const { validation } = this.#pictures
    const { batch } = this.#assembly
    const { length } = validation.labels.subarray(number * batch, (number + 1) * batch)
    const edge = validation.size
    const whole = { crop: { left: 0, top: 0, width: edge, height: edge }, mirror: false }
    const places = Uint32Array.from({ length }, (_, i) => number * batch + i)
    return this.#batch('validation', places, () => whole)
  }

  #placesOf(epoch: number, number: number): Uint32Array {
    const { seed, batch } = this.#assembly
    if (this.#order?.epoch !== epoch) {
      const { length } = this.#pictures.train.labels
      this.#order = { epoch, places: shuffled(length, drawsOf(seed, epoch)) }
    }
    return this.#order.places.subarray(number * batch, (number + 1) * batch)
  }

  #batch(
    split: 'train' | 'validation',
    places: Uint32Array,
    viewOf: (place: number) => View,
  ): Batch {
    const { size, classes, [split]: stock } = this.#pictures
    const { size: edge, pixels, labels } = stock
    const { labelSmoothing } = this.#assembly
    const [stored, shown] = [edge * edge * 3, size * size * 3]
    const resampler = this.#resamplers[split]
    const images = new Float32Array(places.length * shown)
    const targets = new Float32Array(places.length * classes).fill(labelSmoothing / classes)
    for (const [i, place] of places.entries()) {
      const square = pixels.subarray(place * stored, (place + 1) * stored)
      const { crop, mirror } = viewOf(place)
      resampler.resample(square, crop, mirror, images.subarray(i * shown, (i + 1) * shown))
      targets[i * classes + labels[place]] += 1 - labelSmoothing
    }
    return { images, targets, labels: Array.from(places, (place) => labels[place]) }
  }
}

/** How a stored picture is looked at. */
interface View {
  readonly crop: Crop
  readonly mirror: boolean
}
