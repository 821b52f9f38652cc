import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { imageNetStatistics } from '../../src/data/batch.ts'
import { BatchBuilder } from '../../src/data/loader/build-batch.ts'
import { type OpenOptions, openDataset } from '../../src/data/open.ts'
import { folderOf, temporaryFolder } from '../images.ts'

/** The value of a pixel of an image, 0 to 255. */
const value = (image: number, channel: number, y: number, x: number): number =>
  (37 * image + 91 * channel + 13 * y + 7 * x + ((x * y) % 5)) % 256

/** A record, as https://www.cs.toronto.edu/~kriz/cifar.html describes it: the label, then red, green and blue. */
function record(image: number): Uint8Array {
  const bytes = [image % 10]
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < 32; y++)
      for (let x = 0; x < 32; x++) bytes.push(value(image, channel, y, x))
  return Uint8Array.from(bytes)
}

const records = (first: number, count: number): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, i) => record(first + i)))

const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ')

/** Five batches of four images, and a test batch of ten. */
const cifar = (): Promise<string> =>
  folderOf({
    'cifar-10-batches-bin/batches.meta.txt': `${names.join('\n')}\n\n`,
    'cifar-10-batches-bin/readme.html': '<p>',
    'cifar-10-batches-bin/test_batch.bin': records(100, 10),
    ...Object.fromEntries(
      [1, 2, 3, 4, 5].map((n) => [
        `cifar-10-batches-bin/data_batch_${n}.bin`,
        records(4 * (n - 1), 4),
      ]),
    ),
  })

const open = (data: string, options: Partial<OpenOptions> = {}) =>
  openDataset({ data, size: 32, cache: temporaryFolder(), ...options })

test('the binary files of CIFAR-10 are five training batches and a test batch of ten classes', async () => {
  const { dataset, skipped } = await open(await cifar())
  const { classes, train, validation, warnings } = dataset
  expect(classes).toEqual(names)
  expect(train.files.slice(2, 6)).toEqual([
    ...['data_batch_1.bin#2', 'data_batch_1.bin#3'],
    ...['data_batch_2.bin#0', 'data_batch_2.bin#1'],
  ])
  expect([...train.labels]).toEqual([...names.keys(), ...names.keys()])
  expect(validation.files[9]).toBe('test_batch.bin#9')
  expect([...validation.labels]).toEqual([...names.keys()])
  expect(skipped).toEqual([])
  expect(warnings[0]).toBe(
    'The files hold 20 training and 10 test images, but CIFAR-10 has 50,000 and 10,000.',
  )
})

test('with --pad, the network receives the pixels of the files unchanged', async () => {
  const { dataset } = await open(await cifar(), { validationCrop: 1 })
  const { mean, deviation } = imageNetStatistics
  /** The bytes behind a batch of one image. */
  const bytesOf = (images: Float32Array): Uint8Array =>
    Uint8Array.from(images, (x, i) => {
      const channel = Math.floor(i / 32 ** 2)
      return Math.round(255 * (x * deviation[channel] + mean[channel]))
    })
  const options = { batch: 1, seed: 1, crop: 1, pad: 1, flip: false, erase: 0, mixup: 0 }
  const builder = new BatchBuilder({ ...dataset, classes: 10 }, { ...options, labelSmoothing: 0 })
  expect(bytesOf(builder.validation(3).images)).toEqual(record(103).subarray(1))
  // Moved by up to one pixel: its inner pixels are those of the file.
  const { images, targets } = builder.train(0, 0)
  const bytes = bytesOf(images)
  const moved = [0, 10].flatMap((ten) =>
    [-1, 0, 1].flatMap((dy) =>
      [-1, 0, 1].map((dx) => ({ image: ten + targets.indexOf(1), dy, dx })),
    ),
  )
  const isMoved = ({ image, dy, dx }: (typeof moved)[number]): boolean =>
    bytes.every((byte, i) => {
      const [channel, y, x] = [Math.floor(i / 32 ** 2), Math.floor(i / 32) % 32, i % 32]
      const isEdge = [x, y].some((at) => at === 0 || at === 31)
      return isEdge || byte === value(image, channel, y + dy, x + dx)
    })
  expect(moved.filter(isMoved)).toHaveLength(1)
})

test('the archive is the data set of the folder, at any size', async () => {
  const folder = await cifar()
  const file = join(temporaryFolder(), 'cifar-10-binary.tar.gz')
  await create({ file, cwd: folder, gzip: true }, ['cifar-10-batches-bin'])
  const archived = await open(file)
  const inside = await open(join(folder, 'cifar-10-batches-bin'))
  expect(archived.dataset.name).toBe('cifar-10-binary')
  expect(archived.dataset.hash).toBe(inside.dataset.hash)
  expect(archived.dataset.train).toEqual(inside.dataset.train)
  const { dataset } = await open(folder, { size: 17 })
  // 1.75 × 17 pixels for crops.
  expect([dataset.train.size, dataset.validation.size]).toEqual([29, 17])
})

test.each<[string, string, Uint8Array | undefined, string]>([
  ['a missing batch', 'data_batch_3.bin', undefined, 'must hold data_batch_3.bin, a file of CIFAR'],
  ['a missing list of classes', 'batches.meta.txt', undefined, 'must hold batches.meta.txt'],
  [
    'a truncated batch',
    'test_batch.bin',
    records(0, 2).subarray(0, -1),
    'test_batch.bin must have a multiple of 3073 bytes, but has 6145: it is not complete',
  ],
  [
    'a label that is no class',
    'data_batch_2.bin',
    Buffer.concat([record(1), Uint8Array.of(10), record(0).subarray(1)]),
    'data_batch_2.bin, image 1: the label must be below 10, the number of names in batches.meta.txt, but is 10',
  ],
])('%s is named', async (_, name, content, message) => {
  const folder = await cifar()
  const path = join(folder, 'cifar-10-batches-bin', name)
  if (content) await writeFile(path, content)
  else await rm(path)
  await expect(open(folder)).rejects.toThrow(message)
})
