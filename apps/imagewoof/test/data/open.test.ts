import { existsSync, readdirSync } from 'node:fs'
import { readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeModel } from '@diffgrad/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import sharp from 'sharp'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { type OpenOptions, openDataset } from '../../src/data/open.ts'
import { withPreprocessing } from '../../src/model/preprocessing.ts'
import { catsAndDogs, folderOf, noiseImage, temporaryFolder } from '../images.ts'

const open = (data: string, options: Partial<OpenOptions> = {}) =>
  openDataset({ data, size: 32, cache: temporaryFolder(), ...options })

/** The tasks of opening a data set. */
async function tasksOf(data: string, cache: string): Promise<readonly string[]> {
  const tasks = new Set<string>()
  await open(data, { cache, onProgress: ({ task }) => tasks.add(task) })
  return [...tasks]
}

test('a folder of photographs is a data set', async () => {
  const folder = await folderOf(catsAndDogs)
  const { dataset, skipped } = await open(folder)
  const { classes, train, validation } = dataset
  expect(classes).toEqual(['cat', 'dog'])
  expect(train.files).toEqual(['train/cat/1.JPEG', 'train/cat/2.JPEG', 'train/dog/1.JPEG'])
  expect([...train.labels]).toEqual([0, 0, 1])
  expect([...validation.labels]).toEqual([0, 1])
  expect(train.pixels.length).toBe(3 * 56 * 56 * 3)
  expect(train.aspects).toEqual([48 / 40, 48 / 40, 48 / 40])
  expect(validation.pixels.length).toBe(2 * 32 * 32 * 3)
  expect(skipped).toEqual([])
})

test('an archive is the data set of the folder in it, with or without other files around it', async () => {
  const folder = await folderOf({ ...catsAndDogs, 'notes.csv': 'a,b' })
  const file = join(temporaryFolder(), 'pets.tar.gz')
  await create({ file, cwd: join(folder, '..'), gzip: true }, [folder.split('/').at(-1) ?? ''])
  const [archived, plain] = [await open(file), await open(folder)]
  expect(archived.dataset.name).toBe('pets')
  expect(archived.dataset.hash).toBe(plain.dataset.hash)
  expect(archived.dataset.train).toEqual(plain.dataset.train)
})

test('WordNet ids become class names', async () => {
  const folder = await folderOf({
    'train/n02111889/a.JPEG': undefined,
    'train/n02115641/a.JPEG': undefined,
    'val/n02111889/b.JPEG': undefined,
  })
  const { dataset } = await open(folder)
  expect(dataset.classes).toEqual(['Samoyed', 'dingo'])
})

test('files that cannot be decoded are skipped and listed, and the others keep their order', async () => {
  const whole = await noiseImage(5)
  const folder = await folderOf({
    ...catsAndDogs,
    'train/cat/0.JPEG': 'a text',
    'train/cat/15.JPEG': whole.subarray(0, whole.length / 2),
    'train/dog/0.JPEG': '',
    'train/dog/1.JPEG': await noiseImage(6, 30, 50),
    'val/dog/9.png': Buffer.from(whole).fill(0, 300),
  })
  const { dataset, skipped } = await open(folder)
  const files = skipped.map(({ file }) => file)
  const broken = ['train/cat/0.JPEG', 'train/cat/15.JPEG', 'train/dog/0.JPEG']
  expect(files.slice(0, 3)).toEqual(broken)
  expect(skipped[0].reason).toContain('unsupported image format')
  const { dataset: clean } = await open(await folderOf(catsAndDogs))
  expect(dataset.train.files).toEqual(clean.train.files)
  expect(dataset.train.labels).toEqual(clean.train.labels)
  expect(dataset.train.aspects).toEqual([48 / 40, 48 / 40, 30 / 50])
  expect(dataset.train.pixels.length).toBe(clean.train.pixels.length)
  const { data } = await sharp(join(folder, 'train/dog/1.JPEG'))
    .resize(56, 56, { fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect(meanDifference(dataset.train.pixels.subarray(2 * 56 * 56 * 3), data)).toBeLessThan(2)
})

test('one channel becomes three, and the EXIF orientation is applied', async () => {
  const upright = await noiseImage(1)
  const folder = await folderOf({
    ...catsAndDogs,
    'val/cat/3.JPEG': await sharp(upright).rotate(-90).withMetadata({ orientation: 6 }).toBuffer(),
    'val/cat/4.JPEG': upright,
    'val/dog/2.JPEG': await sharp(upright).toColourspace('b-w').toBuffer(),
  })
  const { dataset, grey: greyCount } = await open(folder)
  expect(greyCount).toBe(1)
  const [rotated, straight, grey] = [0, 1, 2].map((i) =>
    dataset.validation.pixels.subarray(i * 32 * 32 * 3, (i + 1) * 32 * 32 * 3),
  )
  expect(meanDifference(rotated, straight)).toBeLessThan(8)
  for (let i = 0; i < grey.length; i += 3)
    expect(grey[i] === grey[i + 1] && grey[i] === grey[i + 2]).toBe(true)
})

const meanDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length

test.each([0.875, 1])(
  'validation images, %d of the shorter side, equal the preprocessing of exported models in every pixel',
  async (validationCrop) => {
    const transparent = { width: 90, height: 41, channels: 4, background: '#20408080' } as const
    const folder = await folderOf({
      ...catsAndDogs,
      'val/cat/large.png': await noiseImage(5, 700, 401),
      'val/cat/small.png': await noiseImage(6, 7, 5),
      'val/cat/narrow.png': await noiseImage(7, 1, 50),
      'val/dog/grey.png': await sharp(await noiseImage(8, 61, 64))
        .toColourspace('b-w')
        .png()
        .toBuffer(),
      'val/dog/transparent.png': await sharp({ create: transparent }).png().toBuffer(),
    })
    const { dataset } = await open(folder, { validationCrop })
    // A model that returns its input.
    const pixels = { name: 'pixels', type: 'float32', shape: ['batch', 3, 32, 32] } as const
    const network = {
      ...{ name: 'identity', inputs: [pixels], outputs: [{ ...pixels, name: 'same' }] },
      nodes: [
        {
          ...{ operator: 'Identity', domain: '', name: '', inputs: ['pixels'], outputs: ['same'] },
          attributes: new Map(),
        },
      ],
      ...{ initializers: new Map(), values: new Map(), domains: new Map() },
    }
    const statistics = { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] }
    const session = await InferenceSession.create(
      writeModel(withPreprocessing(network, { size: 32, validationCrop }, statistics)),
    )
    for (const [i, file] of dataset.validation.files.entries()) {
      const { data, info } = await sharp(join(folder, file))
        .raw()
        .toBuffer({ resolveWithObject: true })
      const { width, height, channels } = info
      const planes = Float32Array.from(
        data,
        (_, k) => data[channels * (k % (width * height)) + Math.floor(k / (width * height))],
      )
      const { same } = await session.run({
        pixels: new Tensor('float32', planes, [1, channels, height, width]),
      })
      const stored = dataset.validation.pixels.subarray(i * 32 * 32 * 3, (i + 1) * 32 * 32 * 3)
      const expected = Array.from(
        stored,
        (_, k) => stored[3 * (k % (32 * 32)) + Math.floor(k / (32 * 32))],
      )
      if (!(same.data instanceof Float32Array)) throw new TypeError('the output must be float32')
      expect(Array.from(same.data, Math.round)).toEqual(expected)
    }
  },
)

/** Chunks of decoded images in a cache. */
function chunksIn(cache: string): readonly string[] {
  const [decoded] = readdirSync(join(cache, 'decoded'))
  const folder = join(cache, 'decoded', decoded)
  const names = readdirSync(folder).filter((name) => name.endsWith('.chunk'))
  return names.toSorted().map((name) => join(folder, name))
}

test('images are decoded once, and again if the cache is truncated or changed', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), temporaryFolder()]
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  const first = await open(folder, { cache })
  expect(await tasksOf(folder, cache)).toEqual(['reading'])
  const [chunk] = chunksIn(cache)
  await truncate(chunk, 1000)
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  const bytes = await readFile(chunk)
  bytes[bytes.length - 5] ^= 1
  await writeFile(chunk, bytes)
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  expect(await open(folder, { cache })).toEqual(first)
})

/** More images than a chunk has. Some cannot be decoded. */
async function manyImages(): Promise<string> {
  const images = await Promise.all(Array.from({ length: 7 }, (_, i) => noiseImage(i)))
  const files: Record<string, Uint8Array> = {}
  for (let i = 0; i < 150; i++)
    files[`train/${i % 2 ? 'cat' : 'dog'}/${i}.jpeg`] =
      i % 31 === 5 ? Buffer.from('text') : images[i % 7]
  return folderOf({ ...files, 'val/cat/1.jpeg': images[0], 'val/dog/1.jpeg': images[1] })
}

test('an interrupted decoding is resumed: complete chunks are kept, and the result is the same', async () => {
  const [folder, cache] = [await manyImages(), temporaryFolder()]
  const whole = await open(folder)
  const interruption = new AbortController()
  const opened = open(folder, {
    cache,
    signal: interruption.signal,
    onProgress: ({ task, done }) =>
      task === 'decoding' && done === 140 && interruption.abort(new Error('interrupted')),
  })
  await expect(opened).rejects.toThrow('interrupted')
  expect(chunksIn(cache).map((path) => basename(path))).toEqual([
    'train-00000.chunk',
    'train-00001.chunk',
  ])
  const reported: number[] = []
  const resumed = await open(folder, {
    cache,
    onProgress: ({ task, done }) => task === 'decoding' && reported.push(done),
  })
  expect(reported).toEqual(Array.from({ length: 152 - 128 }, (_, i) => 129 + i))
  expect(resumed.dataset).toEqual(whole.dataset)
  expect(resumed.skipped).toEqual(whole.skipped)
})

test('decoded images of another version are replaced', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), temporaryFolder()]
  const { dataset } = await open(folder, { cache })
  await open(folder, { cache, size: 20 })
  const now = readdirSync(join(cache, 'decoded')).toSorted()
  const [own] = now.filter((name) => name.endsWith(`-32-${dataset.version}`))
  await rename(join(cache, 'decoded', own), join(cache, 'decoded', own.replace(/\d+$/, '0')))
  await open(folder, { cache })
  expect(readdirSync(join(cache, 'decoded')).toSorted()).toEqual(now)
})

test('an abort while an archive is hashed rejects with the reason of the signal', async () => {
  const file = join(await folderOf({ 'a.tar': 'x' }), 'a.tar')
  const signal = AbortSignal.abort(new Error('interrupted'))
  await expect(open(file, { signal })).rejects.toBe(signal.reason)
})

test('validation crops of two sizes are decoded beside each other', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), temporaryFolder()]
  const usual = await open(folder, { cache })
  const whole = await open(folder, { cache, validationCrop: 1 })
  expect(whole.dataset.hash).toBe(usual.dataset.hash)
  expect(whole.dataset.validation.pixels).not.toEqual(usual.dataset.validation.pixels)
  expect(await open(folder, { cache })).toEqual(usual)
})

test('drawn images are a data set of their own', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), temporaryFolder()]
  const whole = await open(folder, { cache })
  const drawn = await open(folder, { cache, trainImages: 2 })
  expect([...drawn.dataset.train.labels]).toEqual([0, 1])
  expect(drawn.dataset.validation).toEqual(whole.dataset.validation)
  expect(drawn.dataset.hash).not.toBe(whole.dataset.hash)
  await expect(open(folder, { cache, validationImages: 3 })).rejects.toThrow(
    '--validation-images must be from 2, the number of classes, to 2, the number of images, but is 3',
  )
})

test('another image makes another data set', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), temporaryFolder()]
  const before = await open(folder, { cache })
  await writeFile(join(folder, 'train/cat/1.JPEG'), await noiseImage(99))
  const after = await open(folder, { cache })
  expect(after.dataset.hash).not.toBe(before.dataset.hash)
  expect(after.dataset.train.pixels).not.toEqual(before.dataset.train.pixels)
})

test.each<[string, Parameters<typeof folderOf>[0], string]>([
  ['no images', { 'a/notes.txt': 'x' }, 'must hold images in a folder for each class'],
  ['one class', { 'train/cat/1.jpg': undefined, 'val/cat/1.jpg': undefined }, 'but holds cat only'],
  [
    'a class that only validation has',
    { ...catsAndDogs, 'val/bird/1.jpg': undefined },
    'val/bird is a class without',
  ],
])('a folder with %s is rejected', async (_, files, message) => {
  const cache = temporaryFolder()
  await expect(open(await folderOf(files), { cache })).rejects.toThrow(message)
  expect(readdirSync(cache)).toEqual([])
})

test('a class without an image that can be decoded is rejected', async () => {
  const folder = await folderOf({ ...catsAndDogs, 'train/bird/1.jpg': 'x' })
  await expect(open(folder)).rejects.toThrow(
    'has no training image that can be decoded: 1 × Input buffer contains unsupported',
  )
})

test('a source that does not exist, or is neither folder nor archive, is rejected', async () => {
  await expect(open('/nowhere/at-all')).rejects.toThrow(
    'there is no folder or archive /nowhere/at-all; named data sets are shapes, imagewoof2-160',
  )
  const folder = await folderOf({ 'a.zip': 'x' })
  await expect(open(join(folder, 'a.zip'))).rejects.toThrow(
    'must be a folder, a CSV, a zip, or a tar (plain, gz, bz2 or xz), but is something else',
  )
})

test('a cache folder that cannot be written is named', async () => {
  const folder = await folderOf({ ...catsAndDogs, cache: 'a file' })
  const cache = join(folder, 'cache')
  await expect(open(folder, { cache })).rejects.toThrow(`cache folder ${cache}`)
})

test('the embedded data set needs no files', async () => {
  const cache = join(temporaryFolder(), 'cache')
  const { dataset } = await open('shapes', { cache, size: 17 })
  expect(dataset.classes).toContain('torus')
  expect([dataset.train, dataset.validation].map(({ labels }) => labels.length)).toEqual([
    4000, 1000,
  ])
  expect(existsSync(cache)).toBe(false)
  const few = await open('shapes', { size: 17, trainImages: 20, validationImages: 10 })
  const held = await open('shapes', { size: 17, trainImages: 20, holdOut: 0.2 })
  expect(held.dataset.train.pixels).toEqual(few.dataset.train.pixels.subarray(0, 16 * 3 * 17 ** 2))
  expect([...held.dataset.validation.labels]).toEqual([...few.dataset.train.labels].slice(16))
  expect(held.dataset.hash).not.toBe(
    (await open('shapes', { size: 17, trainImages: 20, holdOut: 0.5 })).dataset.hash,
  )
  expect(few.dataset.train.pixels).toEqual(dataset.train.pixels.subarray(0, 20 * 17 * 17 * 3))
  expect(new Set(few.dataset.validation.labels).size).toBe(10)
  await expect(open('shapes', { size: 17, trainImages: 5000 })).rejects.toThrow(
    '--train-images must be from 10, the number of classes, to 4000, the number of images, but is 5000',
  )
})
