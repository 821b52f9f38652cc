import { expect, onTestFinished, test } from 'vitest'
import type { Batch } from '../../src/data/batch.ts'
import type { Dataset, Split } from '../../src/data/dataset.ts'
import { type Crop, randomCrop } from '../../src/data/loader/crop.ts'
import { createLoader, type LoaderOptions } from '../../src/data/loader/loader.ts'
import { drawsOf } from '../../src/data/loader/random.ts'
import { Resampler } from '../../src/data/loader/resample.ts'
import { sharedLabels } from '../../src/data/shared-labels.ts'

/** Every picture is noise, and a class of its own. */
function noise(count: number, size: number, seed: number): Split {
  const draw = drawsOf(seed)
  const pixels = new Uint8Array(new SharedArrayBuffer(count * size * size * 3))
  for (let i = 0; i < pixels.length; i++) pixels[i] = 256 * draw()
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
  train: noise(40, 12, 1),
  validation: noise(10, 8, 2),
}

const plain = { batch: 8, seed: 1, crop: 0.35, flip: true, mixup: 0, labelSmoothing: 0 } as const

function loaderOf(options: Partial<LoaderOptions> = {}, data = dataset) {
  const loader = createLoader(data, { ...plain, ...options })
  onTestFinished(() => loader.dispose())
  return loader
}

async function all(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const found: Batch[] = []
  for await (const batch of batches) found.push(batch)
  return found
}

test('a seed is a sequence of batches, however many workers make them', async () => {
  const once = await all(loaderOf().train(3))
  expect(once).toHaveLength(5)
  expect(await all(loaderOf().train(3))).toEqual(once)
  expect(await all(loaderOf({ workers: 2 }).train(3))).toEqual(once)
  expect(await all(loaderOf({ seed: 2 }).train(3))).not.toEqual(once)
})

test.each([0, 0.4])(
  'from any batch on an epoch is what it would have been (mixup %s)',
  async (mixup) => {
    const whole = await all(loaderOf({ mixup }).train(7))
    expect(await all(loaderOf({ mixup }).train(7, 2))).toEqual(whole.slice(2))
  },
)

test('every picture comes once an epoch, in another order each time', async () => {
  const loader = loaderOf()
  const orders = [await all(loader.train(0)), await all(loader.train(1))].map((batches) =>
    batches.flatMap(({ labels }) => labels),
  )
  for (const order of orders) expect(new Set(order).size).toBe(40)
  expect(orders[0]).not.toEqual(orders[1])
})

test('pictures that fill no batch wait for another epoch', async () => {
  const loader = loaderOf({ batch: 16 })
  expect(loader.batchesPerEpoch).toBe(2)
  expect((await all(loader.train(0))).map(({ labels }) => labels.length)).toEqual([16, 16])
})

test('validation pictures come as they are, in order, the last batch shorter', async () => {
  const batches = await all(loaderOf().validation())
  expect(batches.map(({ labels }) => labels)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ])
  const { images } = batches[1]
  // ImageNet's statistics for red.
  const red = (dataset.validation.pixels[9 * 8 * 8 * 3] / 255 - 0.485) / 0.229
  expect(images[1 * 3 * 8 * 8]).toBeCloseTo(red, 5)
})

test('label smoothing takes its share from the class and gives it to all', async () => {
  const [{ targets, labels }] = await all(loaderOf({ labelSmoothing: 0.2 }).train(0))
  expect(targets[labels[0]]).toBeCloseTo(0.8 + 0.2 / 40, 6)
  expect(targets[(labels[0] + 1) % 40]).toBeCloseTo(0.2 / 40, 6)
})

test('mixup blends pictures and targets alike; its own class has the most', async () => {
  const [first] = await all(loaderOf({ crop: 1, flip: false }).train(0))
  const [mixed] = await all(loaderOf({ crop: 1, flip: false, mixup: 1 }).train(0))
  expect(mixed.labels).toEqual(first.labels)
  for (const [i, label] of mixed.labels.entries()) {
    const target = mixed.targets.subarray(40 * i, 40 * (i + 1))
    expect(target.reduce((a, b) => a + b)).toBeCloseTo(1, 6)
    const partner = first.labels.findIndex((other) => other !== label && target[other] > 0)
    const share = target[label]
    expect(share).toBeGreaterThanOrEqual(0.5)
    const pixel = (n: number): number => first.images[n * 3 * 8 * 8 + 17]
    const blend = share * pixel(i) + (1 - share) * pixel(partner < 0 ? i : partner)
    expect(mixed.images[i * 3 * 8 * 8 + 17]).toBeCloseTo(blend, 4)
  }
})

test('crops keep the proportions that each picture had', async () => {
  const { train } = dataset
  // Of the oblong ones, all that a ratio of 4⁄3 lets in is the middle half.
  const aspects = train.aspects.map((_, i) => (i % 2 === 0 ? 1 : 8 / 3))
  const cropOf = (i: number): Crop =>
    i % 2 === 0
      ? { left: 0, top: 0, width: 12, height: 12 }
      : { left: 3, top: 0, width: 6, height: 12 }
  const loader = loaderOf({ crop: 1, flip: false }, { ...dataset, train: { ...train, aspects } })
  const [{ images, labels }] = await all(loader.train(0))
  const [resampler, expected] = [new Resampler(12, 8), new Float32Array(3 * 8 * 8)]
  for (const [i, label] of labels.entries()) {
    const square = train.pixels.subarray(label * 12 * 12 * 3, (label + 1) * 12 * 12 * 3)
    resampler.resample(square, cropOf(label), false, expected)
    expect(images.subarray(i * 3 * 8 * 8, (i + 1) * 3 * 8 * 8)).toEqual(expected)
  }
})

test('an epoch that is left early leaves the loader in order', async () => {
  const loader = loaderOf()
  const whole = await all(loader.train(0))
  for await (const batch of loader.train(0)) {
    expect(batch).toEqual(whole[0])
    break
  }
  expect(await all(loader.train(0))).toEqual(whole)
})

test('a batch that nobody can make any more is an error', async () => {
  const loader = loaderOf()
  const batches = loader.train(0)[Symbol.asyncIterator]()
  await batches.next()
  await loader.dispose()
  await expect(all(loader.train(0))).rejects.toThrow('the loader has been disposed')
})

// Width over height of a photograph, and the mean share of its area that two million crops of
// torchvision's RandomResizedCrop have by NumPy, without rounding to pixels.
test.each([
  [0.5, 0.4645],
  [0.75, 0.5746],
  [1, 0.6144],
  [1.5, 0.5325],
  [2.5, 0.4543],
])('random crops of an aspect ratio of %f are those of torchvision', (aspect, share) => {
  const [edge, draw] = [960, drawsOf(5)]
  const crops = Array.from({ length: 40_000 }, () => randomCrop(edge, aspect, 0.35, draw))
  const inside = crops.every(
    ({ left, top, width, height }) =>
      Math.min(left, top) >= 0 && Math.max(left + width, top + height) <= edge,
  )
  expect(inside).toBe(true)
  const ratios = crops.map(({ width, height }) => Math.abs(Math.log((aspect * width) / height)))
  expect(Math.max(...ratios)).toBeLessThan(Math.log(4 / 3) + 0.004)
  const areas = crops.map(({ width, height }) => (width * height) / edge ** 2)
  expect(areas.reduce((a, b) => a + b) / areas.length).toBeCloseTo(share, 2)
  const left = crops.reduce((sum, { left, width }) => sum + (left + width / 2) / edge, 0)
  expect(left / crops.length).toBeCloseTo(0.5, 2)
})

test('of a photograph too oblong for its crops, the middle is taken', () => {
  const whole = randomCrop(96, 8, 1, drawsOf(1))
  expect(whole).toEqual({ left: 40, top: 0, width: 16, height: 96 })
  expect(randomCrop(96, 1 / 8, 1, drawsOf(1))).toEqual({ left: 0, top: 40, width: 96, height: 16 })
  expect(randomCrop(96, 1, 1, drawsOf(1))).toEqual({ left: 0, top: 0, width: 96, height: 96 })
})

// Image.resize((n, n), Image.LANCZOS) of Pillow 9.4, on the row that the test has, as floats.
const smaller = [83.283, 118.483, 177.4, 38.814, 111.676, 160.181]
const larger = [
  -7.332, 147.827, 144.642, 39.794, 233.031, 184.209, 15.962, 16.544, 162.457, 92.519, 107.936,
  233.849,
]

/** One row of bytes as a square picture, resampled. */
function resampled(row: readonly number[], size: number, flip = false): number[] {
  const edge = row.length
  const square = Uint8Array.from(
    { length: edge * edge * 3 },
    (_, i) => row[Math.floor(i / 3) % edge],
  )
  const picture = new Float32Array(3 * size * size)
  const crop = { left: 0, top: 0, width: edge, height: edge }
  new Resampler(edge, size).resample(square, crop, flip, picture)
  // Back from ImageNet's statistics for red.
  return Array.from(picture.subarray(0, size), (value) => (value * 0.229 + 0.485) * 255)
}

test('pictures are resampled as Pillow does', () => {
  const row = [10, 200, 30, 250, 90, 0, 170, 60, 220]
  const close = (found: number[], expected: number[]): void => {
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i], 2)
  }
  close(resampled(row, 6), smaller)
  close(
    resampled(row, 12),
    larger.map((value) => Math.max(value, 0)), // Where Pillow overshoots a byte, we do not.
  )
  close(resampled(row, 9), row)
  close(resampled(row, 6, true), smaller.toReversed())
})

// Of Pillow 9.4 on ((37x + 11y² + 5xy) mod 256), 9 × 9 as floats:
// crop((2, 3, 9, 8)).resize((4, 4), Image.LANCZOS).
const cut = [
  [181.584, 121.275, 134.752, 95.738],
  [103.828, 117.51, 96.705, 82.69],
  [96.12, 119.604, 115.859, 117.104],
  [157.014, 142.084, 129.545, 72.984],
].flat()

test('a part of a picture is resampled along both axes as Pillow does', () => {
  const square = Uint8Array.from({ length: 9 * 9 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 9, Math.floor(i / 27)]
    return 37 * x + 11 * y * y + 5 * x * y
  })
  const picture = new Float32Array(3 * 4 * 4)
  const crop = { left: 2, top: 3, width: 7, height: 5 }
  new Resampler(9, 4).resample(square, crop, false, picture)
  for (const [i, value] of cut.entries())
    expect((picture[16 + i] * 0.224 + 0.456) * 255).toBeCloseTo(value, 2) // Green.
})
