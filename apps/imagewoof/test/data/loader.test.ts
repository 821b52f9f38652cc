import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, onTestFinished, test } from 'vitest'
import type { Batch } from '../../src/data/batch.ts'
import {
  balancedClassWeights,
  type Dataset,
  type Split,
  sharedLabels,
} from '../../src/data/dataset.ts'
import { type Crop, randomCrop, randomStream } from '../../src/data/loader/augment.ts'
import { BatchBuilder, type BatchOptions } from '../../src/data/loader/build-batch.ts'
import { createLoader, type LoaderOptions } from '../../src/data/loader/loader.ts'
import { Resampler } from '../../src/data/loader/resample.ts'

/** Images of noise, each with its own class. */
function noise(count: number, size: number, seed: number): Split {
  const random = randomStream(seed)
  const pixels = new Uint8Array(new SharedArrayBuffer(count * size * size * 3))
  for (let i = 0; i < pixels.length; i++) pixels[i] = 256 * random()
  const numbers = Array.from({ length: count }, (_, i) => i)
  return {
    size,
    pixels,
    labels: sharedLabels(numbers),
    aspects: numbers.map(() => 1),
    files: [],
  }
}

const dataset: Dataset = {
  name: 'noise',
  hash: '',
  version: 1,
  size: 8,
  classes: Array.from({ length: 40 }, (_, i) => `${i}`),
  train: noise(40, 12, testSeed(1)),
  validation: noise(10, 8, testSeed(2)),
  warnings: [],
}

const augmentation = {
  batch: 8,
  seed: testSeed(1),
  crop: 0.35,
  pad: 0,
  flip: true,
  erase: 0,
  mixup: 0,
  labelSmoothing: 0,
} as const

function loaderOf(options: Partial<LoaderOptions> = {}, data = dataset) {
  const loader = createLoader(data, { ...augmentation, classWeights: 'none', ...options })
  onTestFinished(() => loader.dispose())
  return loader
}

/** Builds training batches without a thread. */
const builderOf = (options: Partial<BatchOptions>, data = dataset): BatchBuilder =>
  new BatchBuilder({ ...data, classes: data.classes.length }, { ...augmentation, ...options })

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const collected: Batch[] = []
  for await (const batch of batches) collected.push(batch)
  return collected
}

test('the batches depend on the seed, not on the number of workers', async () => {
  const once = await collect(loaderOf().train(3))
  expect(once).toHaveLength(5)
  expect(await collect(loaderOf().train(3))).toEqual(once)
  expect(await collect(loaderOf({ workers: 2 }).train(3))).toEqual(once)
  expect(await collect(loaderOf({ seed: testSeed(2) }).train(3))).not.toEqual(once)
})

test.each([{ mixup: 0 }, { mixup: 0.4 }, { crop: 1, pad: 2, erase: 0.5 }])(
  'an epoch can be resumed at any batch (%o)',
  async (options) => {
    const whole = await collect(loaderOf(options).train(7))
    expect(await collect(loaderOf(options).train(7, 2))).toEqual(whole.slice(2))
  },
)

test('every image occurs once per epoch, in another order each time', async () => {
  const loader = loaderOf()
  const orders = [await collect(loader.train(0)), await collect(loader.train(1))].map((batches) =>
    batches.flatMap(({ labels }) => labels),
  )
  for (const order of orders) expect(new Set(order).size).toBe(40)
  expect(orders[0]).not.toEqual(orders[1])
})

test('images that do not fill a last batch are left out', async () => {
  const loader = loaderOf({ batch: 16 })
  expect(loader.batchesPerEpoch).toBe(2)
  expect((await collect(loader.train(0))).map(({ labels }) => labels.length)).toEqual([16, 16])
})

test('validation images are neither cropped nor shuffled, and the last batch is smaller', async () => {
  const batches = await collect(loaderOf().validation())
  expect(batches.map(({ labels }) => labels)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ])
  const { images } = batches[1]
  // ImageNet's statistics for red.
  const red = (dataset.validation.pixels[9 * 8 * 8 * 3] / 255 - 0.485) / 0.229
  expectClose(images[1 * 3 * 8 * 8], red, { relative: 1e-5, absolute: 1e-5 })
})

test('label smoothing moves its share from the label to all classes', () => {
  const { targets, labels } = builderOf({ labelSmoothing: 0.2 }).train(0, 0)
  expectClose(targets[labels[0]], 0.8 + 0.2 / 40, { relative: 1e-6 })
  expectClose(targets[(labels[0] + 1) % 40], 0.2 / 40, { relative: 1e-6 })
})

test('mixup blends images and targets by the same weights, at least half for the own label', () => {
  const first = builderOf({ crop: 1, flip: false }).train(0, 0)
  const mixed = builderOf({ crop: 1, flip: false, mixup: 1 }).train(0, 0)
  expect(mixed.labels).toEqual(first.labels)
  for (const [i, label] of mixed.labels.entries()) {
    const target = mixed.targets.subarray(40 * i, 40 * (i + 1))
    expectClose(
      target.reduce((a, b) => a + b),
      1,
      { relative: 1e-6 },
    )
    const partner = first.labels.findIndex((other) => other !== label && target[other] > 0)
    const share = target[label]
    expect(share).toBeGreaterThanOrEqual(0.5)
    const pixel = (n: number): number => first.images[n * 3 * 8 * 8 + 17]
    const blend = share * pixel(i) + (1 - share) * pixel(partner < 0 ? i : partner)
    expectClose(mixed.images[i * 3 * 8 * 8 + 17], blend, { relative: 1e-4, absolute: 1e-4 })
  }
})

test('crops keep the aspect ratio that each image had', () => {
  const { train } = dataset
  // In images of 8:3, the largest crop of 4:3 is the central half.
  const aspects = train.aspects.map((_, i) => (i % 2 === 0 ? 1 : 8 / 3))
  const cropOf = (i: number): Crop =>
    i % 2 === 0
      ? { left: 0, top: 0, width: 12, height: 12 }
      : { left: 3, top: 0, width: 6, height: 12 }
  const data = { ...dataset, train: { ...train, aspects } }
  const { images, labels } = builderOf({ crop: 1, flip: false }, data).train(0, 0)
  const [resampler, expected] = [new Resampler(12, 8), new Float32Array(3 * 8 * 8)]
  for (const [i, label] of labels.entries()) {
    const square = train.pixels.subarray(label * 12 * 12 * 3, (label + 1) * 12 * 12 * 3)
    resampler.resample(square, cropOf(label), false, expected)
    expect(images.subarray(i * 3 * 8 * 8, (i + 1) * 3 * 8 * 8)).toEqual(expected)
  }
})

test('an epoch that is left early does not change later epochs', async () => {
  const loader = loaderOf()
  const whole = await collect(loader.train(0))
  for await (const batch of loader.train(0)) {
    expect(batch).toEqual(whole[0])
    break
  }
  expect(await collect(loader.train(0))).toEqual(whole)
})

test('a disposed loader rejects', async () => {
  const loader = loaderOf()
  const batches = loader.train(0)[Symbol.asyncIterator]()
  await batches.next()
  await loader.dispose()
  await expect(collect(loader.train(0))).rejects.toThrow('the worker thread has been disposed')
})

// Width / height of an image, and the mean area of two million crops by torchvision's
// RandomResizedCrop in NumPy, as a share of the image, without rounding to pixels.
test.each([
  [0.5, 0.4645],
  [0.75, 0.5746],
  [1, 0.6144],
  [1.5, 0.5325],
  [2.5, 0.4543],
])('random crops of an aspect ratio of %f have the mean area of torchvision', (aspect, share) => {
  const [edge, random] = [960, randomStream(testSeed(5))]
  const crops = Array.from({ length: 40_000 }, () => randomCrop(edge, aspect, 0.35, random))
  const inside = crops.every(
    ({ left, top, width, height }) =>
      Math.min(left, top) >= 0 && Math.max(left + width, top + height) <= edge,
  )
  expect(inside).toBe(true)
  const ratios = crops.map(({ width, height }) => Math.abs(Math.log((aspect * width) / height)))
  expect(Math.max(...ratios)).toBeLessThan(Math.log(4 / 3) + 0.004)
  const areas = crops.map(({ width, height }) => (width * height) / edge ** 2)
  // Five standard errors of the mean are 0.005.
  const sampling = { relative: 0, absolute: 0.006 }
  expectClose(areas.reduce((a, b) => a + b) / areas.length, share, sampling)
  const left = crops.reduce((sum, { left, width }) => sum + (left + width / 2) / edge, 0)
  expectClose(left / crops.length, 0.5, sampling)
})

test('an image with an extreme aspect ratio is cropped at the centre', () => {
  const whole = randomCrop(96, 8, 1, randomStream(1))
  expect(whole).toEqual({ left: 40, top: 0, width: 16, height: 96 })
  expect(randomCrop(96, 1 / 8, 1, randomStream(1))).toEqual({
    left: 0,
    top: 40,
    width: 96,
    height: 16,
  })
  expect(randomCrop(96, 1, 1, randomStream(1))).toEqual({ left: 0, top: 0, width: 96, height: 96 })
})

/** Pillow's values are printed with three decimals. */
const printed = { relative: 0, absolute: 2e-3 }

// Image.resize((n, n), Image.LANCZOS) of Pillow 9.4 on the row of the test below, as floats.
const smallerRow = [83.283, 118.483, 177.4, 38.814, 111.676, 160.181]
const largerRow = [
  -7.332, 147.827, 144.642, 39.794, 233.031, 184.209, 15.962, 16.544, 162.457, 92.519, 107.936,
  233.849,
]

/** Resamples a square image whose rows are all the same. */
function resample(row: readonly number[], size: number, flip = false): number[] {
  const edge = row.length
  const square = Uint8Array.from(
    { length: edge * edge * 3 },
    (_, i) => row[Math.floor(i / 3) % edge],
  )
  const image = new Float32Array(3 * size * size)
  const crop = { left: 0, top: 0, width: edge, height: edge }
  new Resampler(edge, size).resample(square, crop, flip, image)
  // Undo the normalization by ImageNet's statistics for red.
  return Array.from(image.subarray(0, size), (value) => (value * 0.229 + 0.485) * 255)
}

test('images are resampled as by Pillow', () => {
  const row = [10, 200, 30, 250, 90, 0, 170, 60, 220]
  expectClose(resample(row, 6), smallerRow, printed)
  // Pillow's floats overshoot the range of a byte; ours are clamped.
  const clamped = largerRow.map((value) => Math.max(value, 0))
  expectClose(resample(row, 12), clamped, printed)
  expectClose(resample(row, 9), row, printed)
  expectClose(resample(row, 6, true), smallerRow.toReversed(), printed)
})

// crop((2, 3, 9, 8)).resize((4, 4), Image.LANCZOS) of Pillow 9.4 on the 9 × 9 image
// ((37x + 11y² + 5xy) mod 256), as floats.
const resampledCrop = [
  [181.584, 121.275, 134.752, 95.738],
  [103.828, 117.51, 96.705, 82.69],
  [96.12, 119.604, 115.859, 117.104],
  [157.014, 142.084, 129.545, 72.984],
].flat()

test('a crop is resampled along both axes as by Pillow', () => {
  const square = Uint8Array.from({ length: 9 * 9 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 9, Math.floor(i / 27)]
    return 37 * x + 11 * y * y + 5 * x * y
  })
  const image = new Float32Array(3 * 4 * 4)
  const crop = { left: 2, top: 3, width: 7, height: 5 }
  new Resampler(9, 4).resample(square, crop, false, image)
  const green = Array.from(image.subarray(16, 32), (value) => (value * 0.224 + 0.456) * 255)
  expectClose(green, resampledCrop, printed)
})

/** A channel of an image, row by row. */
const channelOf = ({ images }: Batch, image: number, channel: number): number[][] => {
  const start = (3 * image + channel) * 64
  return Array.from({ length: 8 }, (_, y) => [...images.subarray(start + 8 * y, start + 8 * y + 8)])
}

/** Mirrors the rows and columns beyond the ends, as numpy.pad with mode 'reflect'. */
const reflectPadded = <T>(list: readonly T[], pad: number): readonly T[] => [
  ...list.slice(1, pad + 1).toReversed(),
  ...list,
  ...list.slice(-pad - 1, -1).toReversed(),
]

/** Adds a constant beyond the ends, as numpy.pad does. */
const constantPadded = <T>(list: readonly T[], pad: number, value: T): readonly T[] => {
  const added = Array.from({ length: pad }, () => value)
  return [...added, ...list, ...added]
}

/** Black, less the mean and divided by the standard deviation of ImageNet. */
const black = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225].map(Math.fround)

test.each([
  ['mirrors', 'reflect'],
  ['blackens', 'zeros'],
] as const)(
  'padding shifts each image by up to so many pixels, and %s what is beyond its ends',
  (_, padMode) => {
    const pad = 2
    const padded2d = (
      rows: readonly number[][],
      channel: number,
    ): readonly (readonly number[])[] => {
      if (padMode === 'reflect')
        return reflectPadded(rows, pad).map((row) => reflectPadded(row, pad))
      const wide = rows.map((row) => [...constantPadded(row, pad, black[channel])])
      return constantPadded(
        wide,
        pad,
        Array.from({ length: 12 }, () => black[channel]),
      )
    }
    const first = builderOf({ crop: 1, flip: false }).train(0, 0)
    const padded = builderOf({ crop: 1, flip: false, pad, padMode }).train(0, 0)
    expect(padded.labels).toEqual(first.labels)
    // The images of `noise` are square, so that an unpadded view is the whole image.
    const whole = new Float32Array(3 * 64)
    const shifts = new Set<string>()
    for (const [i, label] of padded.labels.entries()) {
      const square = dataset.train.pixels.subarray(label * 12 * 12 * 3, (label + 1) * 12 * 12 * 3)
      new Resampler(12, 8).resample(
        square,
        { left: 0, top: 0, width: 12, height: 12 },
        false,
        whole,
      )
      const original = { images: whole, targets: new Float32Array(), labels: [] }
      const offsets = [0, 1, 2, 3, 4].flatMap((y) => [0, 1, 2, 3, 4].map((x) => [y, x] as const))
      const found = offsets.filter(([y, x]) =>
        [0, 1, 2].every((channel) => {
          const rows = padded2d(channelOf(original, 0, channel), channel).slice(y, y + 8)
          const view = rows.map((row) => row.slice(x, x + 8))
          return JSON.stringify(view) === JSON.stringify(channelOf(padded, i, channel))
        }),
      )
      expect(found).toHaveLength(1)
      shifts.add(`${found[0]}`)
    }
    expect(shifts.size).toBeGreaterThan(3)
  },
)

test('erasing sets one rectangle of 2–33 % of an image to 0, with the given probability', () => {
  const builder = builderOf({ crop: 1, flip: false, pad: 1, erase: 0.5 })
  let [erased, total] = [0, 0]
  for (let epoch = 0; epoch < 20; epoch++) {
    const batches = [0, 1, 2, 3, 4].map((index) => builder.train(epoch, index))
    for (const batch of batches)
      for (const i of batch.labels.keys()) {
        total++
        const zeros = channelOf(batch, i, 0).map((row) => row.map((value) => value === 0))
        const rows = zeros.map((row) => row.filter(Boolean).length).filter((count) => count > 0)
        if (rows.length === 0) continue
        erased++
        expect(new Set(rows).size).toBe(1)
        expect(zeros).toEqual(channelOf(batch, i, 2).map((row) => row.map((value) => value === 0)))
        // Sides are rounded, by up to half a pixel each.
        expect(rows.length * rows[0]).toBeLessThanOrEqual(64 * 0.33 + 8)
        expect(rows.length / rows[0]).toBeLessThanOrEqual(7)
      }
  }
  // Five standard deviations of a binomial distribution.
  expect(Math.abs(erased / total - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / total))
})

test('balanced class weights are n / (K · n_c), and divided by those of the labels of a batch', async () => {
  const labels = sharedLabels(Array.from({ length: 40 }, (_, i) => (i < 30 ? 0 : i < 38 ? 1 : 2)))
  const unbalanced = {
    ...dataset,
    classes: ['a', 'b', 'c'],
    train: { ...dataset.train, labels },
    validation: { ...dataset.validation, labels: sharedLabels(Array(10).fill(0)) },
  }
  const weights = [40 / (3 * 30), 40 / (3 * 8), 40 / (3 * 2)]
  expectClose(balancedClassWeights(unbalanced), weights, { relative: 1e-12 })
  const options = { labelSmoothing: 0.1, batch: 20 }
  const plain = builderOf(options, unbalanced).train(0, 0)
  const loader = loaderOf({ ...options, classWeights: 'balanced' }, unbalanced)
  const weighted = await collect(loader.train(0))
  expect(weighted[0].images).toEqual(plain.images)
  const divisor = plain.labels.reduce((sum, label) => sum + weights[label], 0)
  const expected = plain.targets.map((target, i) => (20 * target * weights[i % 3]) / divisor)
  expectClose(weighted[0].targets, expected, { relative: 1e-6 })
  // The validation loss is not weighted.
  const [validation] = await collect(loader.validation())
  expectClose(
    validation.targets.subarray(0, 3).reduce((a, b) => a + b),
    1,
    { relative: 1e-6 },
  )
})
