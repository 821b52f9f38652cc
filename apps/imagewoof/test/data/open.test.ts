import { existsSync, readdirSync } from 'node:fs'
import { readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AutoProcessor, RawImage } from '@xenova/transformers'
import sharp from 'sharp'
import { create } from 'tar'
import { expect, test } from 'vitest'
import { type OpenOptions, openDataset } from '../../src/data/open.ts'
import { catsAndDogs, emptyFolder, folderOf, photograph } from './folder.ts'

const open = (data: string, options: Partial<OpenOptions> = {}) =>
  openDataset({ data, size: 32, cache: emptyFolder(), ...options })

/** What is done while a data set is opened. */
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

test('an archive is the data set of the folder in it, whatever is around it', async () => {
  const folder = await folderOf({ ...catsAndDogs, 'notes.csv': 'a,b' })
  const file = join(emptyFolder(), 'pets.tar.gz')
  await create({ file, cwd: join(folder, '..'), gzip: true }, [folder.split('/').at(-1) ?? ''])
  const [packed, plain] = [await open(file), await open(folder)]
  expect(packed.dataset.name).toBe('pets')
  expect(packed.dataset.hash).toBe(plain.dataset.hash)
  expect(packed.dataset.train).toEqual(plain.dataset.train)
})

test('breeds are called by their names', async () => {
  const folder = await folderOf({
    'train/n02111889/a.JPEG': undefined,
    'val/n02111889/b.JPEG': undefined,
  })
  const { dataset } = await open(folder)
  expect(dataset.classes).toEqual(['Samoyed'])
})

test('what is no picture is skipped and listed; the others keep their places', async () => {
  const whole = await photograph(5)
  const folder = await folderOf({
    ...catsAndDogs,
    'train/cat/0.JPEG': 'I am a text',
    'train/cat/15.JPEG': whole.subarray(0, whole.length / 2),
    'train/dog/0.JPEG': '',
    'train/dog/1.JPEG': await photograph(6, 30, 50),
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

test('one channel becomes three, and a picture that says how it is turned is turned', async () => {
  const upright = await photograph(1)
  const folder = await folderOf({
    ...catsAndDogs,
    'val/cat/3.JPEG': await sharp(upright).rotate(-90).withMetadata({ orientation: 6 }).toBuffer(),
    'val/cat/4.JPEG': upright,
    'val/dog/2.JPEG': await sharp(upright).toColourspace('b-w').toBuffer(),
  })
  const { dataset, grey } = await open(folder)
  expect(grey).toBe(1)
  const [turned, straight, one] = [0, 1, 2].map((i) =>
    dataset.validation.pixels.subarray(i * 32 * 32 * 3, (i + 1) * 32 * 32 * 3),
  )
  expect(meanDifference(turned, straight)).toBeLessThan(8)
  for (let i = 0; i < one.length; i += 3)
    expect(one[i] === one[i + 1] && one[i] === one[i + 2]).toBe(true)
})

const meanDifference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length

test('validation pictures are what transformers.js makes of the files', async () => {
  const folder = await folderOf(catsAndDogs)
  const { dataset } = await open(folder)
  const processor = emptyFolder()
  const settings = {
    image_processor_type: 'ConvNextFeatureExtractor',
    do_resize: true,
    size: { shortest_edge: 32 },
    resample: 1,
    do_rescale: false,
    do_normalize: false,
  }
  await writeFile(join(processor, 'preprocessor_config.json'), JSON.stringify(settings))
  const process = await AutoProcessor.from_pretrained(processor)
  for (const [i, file] of dataset.validation.files.entries()) {
    const { pixel_values } = await process(await RawImage.read(join(folder, file)))
    const stored = dataset.validation.pixels.subarray(i * 32 * 32 * 3, (i + 1) * 32 * 32 * 3)
    const channels = Array.from(
      stored,
      (_, k) => stored[3 * (k % (32 * 32)) + Math.floor(k / (32 * 32))],
    )
    expect([...pixel_values.data]).toEqual(channels)
  }
})

test('pictures are decoded once, and anew if what was kept is cut off or changed', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), emptyFolder()]
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  const first = await open(folder, { cache })
  expect(await tasksOf(folder, cache)).toEqual(['reading'])
  const [kept] = readdirSync(join(cache, 'decoded'))
  const pixels = join(cache, 'decoded', kept, 'train.bin')
  await truncate(pixels, 1000)
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  const bytes = await readFile(pixels)
  bytes[5] ^= 1
  await writeFile(pixels, bytes)
  expect(await tasksOf(folder, cache)).toEqual(['reading', 'decoding'])
  expect(await open(folder, { cache })).toEqual(first)
})

test('squares of another version give way to those of this one', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), emptyFolder()]
  const { dataset } = await open(folder, { cache })
  await open(folder, { cache, size: 20 })
  const now = readdirSync(join(cache, 'decoded')).toSorted()
  const [own] = now.filter((name) => name.endsWith(`-32-${dataset.version}`))
  await rename(join(cache, 'decoded', own), join(cache, 'decoded', own.replace(/\d+$/, '0')))
  await open(folder, { cache })
  expect(readdirSync(join(cache, 'decoded')).toSorted()).toEqual(now)
})

test('an interruption while an archive is hashed is that interruption', async () => {
  const file = join(await folderOf({ 'a.tar': 'x' }), 'a.tar')
  const signal = AbortSignal.abort(new Error('interrupted'))
  await expect(open(file, { signal })).rejects.toBe(signal.reason)
})

test('a picture that changes is another data set', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), emptyFolder()]
  const before = await open(folder, { cache })
  await writeFile(join(folder, 'train/cat/1.JPEG'), await photograph(99))
  const after = await open(folder, { cache })
  expect(after.dataset.hash).not.toBe(before.dataset.hash)
  expect(after.dataset.train.pixels).not.toEqual(before.dataset.train.pixels)
})

test('an interrupted decoding leaves nothing', async () => {
  const [folder, cache] = [await folderOf(catsAndDogs), emptyFolder()]
  const interruption = new AbortController()
  const opened = open(folder, {
    cache,
    signal: interruption.signal,
    onProgress: ({ task }) => task === 'decoding' && interruption.abort(new Error('interrupted')),
  })
  await expect(opened).rejects.toThrow('interrupted')
  expect(existsSync(join(cache, 'decoded'))).toBe(false)
})

const { 'val/cat/3.JPEG': _, 'val/dog/2.JPEG': __, ...trainOnly } = catsAndDogs

test.each<[string, Parameters<typeof folderOf>[0], string]>([
  ['no training', { 'val/cat/1.jpg': undefined }, 'must hold a folder train'],
  ['no validation', trainOnly, 'must hold a folder val; it does not'],
  ['no classes', { ...trainOnly, 'val/notes.txt': 'x' }, 'must hold a folder for each class'],
  ['an empty class', { ...catsAndDogs, 'train/bird/.keep': '' }, 'train/bird holds no pictures'],
  ['a folder in a class', { ...catsAndDogs, 'val/dog/more/1.jpg': 'x' }, 'dog/more is a folder'],
  [
    'a class of which nothing can be read',
    { ...catsAndDogs, 'train/bird/1.jpg': 'x' },
    'train/bird holds no picture that can be read',
  ],
  [
    'a class that is only in validation',
    { ...catsAndDogs, 'val/bird/1.jpg': undefined },
    'val/bird is a class that',
  ],
])('a folder with %s is refused', async (_, files, complaint) => {
  const cache = emptyFolder()
  await expect(open(await folderOf(files), { cache })).rejects.toThrow(complaint)
  expect(readdirSync(cache)).toEqual([])
})

test('a source that is not there, or neither folder nor archive, is refused', async () => {
  await expect(open('/nowhere/at-all')).rejects.toThrow(
    'there is no folder or archive /nowhere/at-all; data sets with a name are shapes, imagewoof2-160',
  )
  const folder = await folderOf({ 'a.zip': 'x' })
  await expect(open(join(folder, 'a.zip'))).rejects.toThrow('must be a folder, or an archive')
})

test('a cache that cannot be written is named', async () => {
  const folder = await folderOf({ ...catsAndDogs, cache: 'a file' })
  const cache = join(folder, 'cache')
  await expect(open(folder, { cache })).rejects.toThrow(`cache folder ${cache}`)
})

test('the embedded data set needs no files', async () => {
  const cache = join(emptyFolder(), 'cache')
  const { dataset } = await open('shapes', { cache, size: 17 })
  expect(dataset.classes).toContain('torus')
  expect([dataset.train, dataset.validation].map(({ labels }) => labels.length)).toEqual([
    4000, 1000,
  ])
  expect(existsSync(cache)).toBe(false)
})
