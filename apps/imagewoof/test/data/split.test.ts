import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ImageFile, ImageListing } from '../../src/data/dataset.ts'
import {
  dataWarnings,
  drawImages,
  drawValidation,
  type FileDigests,
  holdOutImages,
} from '../../src/data/split.ts'

const digestOf = (content: string): string => createHash('sha256').update(content).digest('hex')

interface Photo {
  readonly path: string
  readonly label: number
  readonly content: string
}

/** Photographs of a class, each with its own content. */
const photos = (label: number, count: number, prefix = ''): readonly Photo[] =>
  Array.from({ length: count }, (_, i) => {
    const path = `${prefix}${label}/${i}.jpg`
    return { path, label, content: path }
  })

function draw(files: readonly Photo[], share?: number) {
  const listing: ImageListing = {
    ...{ root: '/data', classes: ['a', 'b', 'c'], train: files, validation: undefined },
    ...{ namedByPath: false, skipped: [], warnings: [] },
  }
  const digests: FileDigests = new Map(files.map(({ path, content }) => [path, digestOf(content)]))
  const { train, validation } = drawValidation(listing, digests, share)
  const contentOf = new Map(files.map(({ path, content }) => [path, content]))
  const contents = (split: readonly { readonly path: string }[]) =>
    split.map(({ path }) => contentOf.get(path) ?? '')
  return { train, validation, trained: contents(train), validated: contents(validation) }
}

const byPath = (a: ImageFile, b: ImageFile): number => (a.path < b.path ? -1 : 1)

const files = [...photos(0, 1000), ...photos(1, 500), ...photos(2, 100)]

test('each class gives its share to validation, within three standard deviations', () => {
  for (const share of [0.1, 0.2, 0.5]) {
    const { validation } = draw(files, share)
    for (const [label, count] of [1000, 500, 100].entries()) {
      const drawn = validation.filter((file) => file.label === label).length
      const deviation = Math.sqrt(count * share * (1 - share))
      expect(Math.abs(drawn - count * share)).toBeLessThan(3 * deviation)
    }
  }
})

test('renamed files, and files added to a class, leave all others on their side', () => {
  const before = draw(files)
  const renamed = files.map((file) => ({ ...file, path: `x/${file.path}` })).reverse()
  expect(draw(renamed).validated.toSorted()).toEqual(before.validated.toSorted())
  const more = draw([...photos(0, 300, 'new '), ...files])
  for (const content of before.validated) expect(more.validated).toContain(content)
  for (const content of before.trained) expect(more.trained).toContain(content)
})

test('equal contents are on one side, also in other classes', () => {
  const copies = files.map((file, i) => ({
    ...file,
    path: `copy/${file.path}`,
    label: (file.label + (i % 2)) % 3,
  }))
  const { trained, validated } = draw([...files, ...copies])
  expect(validated.filter((content) => trained.includes(content))).toEqual([])
})

test('images are held out of training independently of the draws before, and leave validation', () => {
  const digests: FileDigests = new Map(files.map(({ path }) => [path, digestOf(path)]))
  const listing: ImageListing = {
    ...{ root: '/data', classes: ['a', 'b', 'c'], train: files, validation: undefined },
    ...{ namedByPath: true, skipped: [], warnings: [] },
  }
  const split = drawValidation(listing, digests, 0.2)
  const reduced = { ...split, train: drawImages(split.train, digests, 300, '--train-images') }
  for (const given of [split, reduced]) {
    const { train, validation, namedByPath } = holdOutImages(given, digests, 0.2)
    expect([...train, ...validation].toSorted(byPath)).toEqual(given.train.toSorted(byPath))
    const count = given.train.length
    const deviation = Math.sqrt(count * 0.2 * 0.8)
    expect(Math.abs(validation.length - 0.2 * count)).toBeLessThan(3 * deviation)
    // The same images in other splits are other data.
    expect(namedByPath).toBe(false)
  }
})

test('small classes have an image on each side', () => {
  for (let n = 0; n < 50; n++) {
    const { train, validation } = draw([
      ...photos(0, 2, `${n}`),
      ...photos(1, 3, `${n}`),
      ...photos(2, 2, `${n}`),
    ])
    for (const split of [train, validation])
      expect(new Set(split.map(({ label }) => label)).size).toBe(3)
  }
})

const drawnFrom = (photos: readonly Photo[], count: number): readonly Photo[] => {
  const digests = new Map(photos.map(({ path, content }) => [path, digestOf(content)]))
  const paths = drawImages(photos, digests, count, '--train-images').map(({ path }) => path)
  return photos.filter(({ path }) => paths.includes(path))
}

test('images are drawn by their contents, with the same share of every class', () => {
  const drawn = drawnFrom(files, 160)
  const sizes = [0, 1, 2].map((label) => drawn.filter((file) => file.label === label).length)
  // 160 of 1,600 images.
  expect(sizes).toEqual([100, 50, 10])
  const contents = drawn.map(({ content }) => content)
  const renamed = files.map((file) => ({ ...file, path: `x/${file.path}` })).reverse()
  expect(
    drawnFrom(renamed, 160)
      .map(({ content }) => content)
      .toSorted(),
  ).toEqual(contents.toSorted())
  for (const { content } of drawnFrom(files, 80)) expect(contents).toContain(content)
})

test('a draw holds at least one image of each class, and as many as there are', () => {
  const few = drawnFrom([...photos(0, 500), ...photos(1, 2), ...photos(2, 1)], 4)
  expect(few.map(({ label }) => label)).toEqual([0, 0, 1, 2])
  expect(drawnFrom(files, 1600)).toEqual(files)
  for (const count of [2, 1601])
    expect(() => drawnFrom(files, count)).toThrow(
      `--train-images must be from 3, the number of classes, to 1600, the number of images, but is ${count}`,
    )
})

const split = (...entries: readonly (readonly [content: string, label: number])[]) => ({
  files: entries.map(([content], i) => `${content} ${i}`),
  labels: entries.map(([, label]) => label),
})

const warningsOf = (
  train: ReturnType<typeof split>,
  validation: ReturnType<typeof split>,
): readonly string[] => {
  const names = [...train.files, ...validation.files]
  const digests = new Map(names.map((name) => [name, digestOf(name.split(' ')[0])]))
  return dataWarnings(['a', 'b', 'c'], train, validation, digests)
}

const many = (label: number, count: number, prefix: string) =>
  Array.from({ length: count }, (_, i) => [`${prefix}${label}-${i}`, label] as const)

const balanced = [0, 1, 2].flatMap((label) => many(label, 12, 't'))
const validation = [0, 1, 2].flatMap((label) => many(label, 12, 'v'))

test('a balanced data set without duplicates has no warnings', () => {
  expect(warningsOf(split(...balanced), split(...validation))).toEqual([])
})

test('duplicates between the splits, and images of two classes, are reported', () => {
  const twins = [
    ['t0-3', 0],
    ['t0-4', 1],
  ] as const
  expect(warningsOf(split(...balanced), split(...validation, ...twins))).toEqual([
    '2 of 38 validation images are training images too, so that the accuracy is too high: t0-3 36 equals t0-3 3, t0-4 37 equals t0-4 4.',
    'Equal images have different classes: t0-4 37 is b here and a elsewhere.',
  ])
})

test('classes without validation images are reported', () => {
  expect(warningsOf(split(...balanced), split(...many(1, 40, 'v')))).toEqual([
    '2 of 3 classes have no validation images, so that nothing is known of them: a, c.',
  ])
})

test('imbalance beyond 1:20, and few images, are reported', () => {
  const sizes = [...many(0, 241, 't'), ...many(1, 12, 't'), ...many(2, 50, 't')]
  expect(warningsOf(split(...sizes), split(...validation))).toEqual([
    'The classes are unbalanced: a (241) has more than 20 times the training images of b (12).',
  ])
  const few = [...many(0, 12, 't'), ...many(1, 9, 't'), ...many(2, 3, 't')]
  expect(
    warningsOf(split(...few), split(...many(0, 9, 'v'), ...many(1, 8, 'v'), ...many(2, 8, 'v'))),
  ).toEqual([
    '2 of 3 classes have fewer than 10 training images: c (3), b (9).',
    'There are only 25 validation images, so that an accuracy can be off by 20 percentage points.',
  ])
})
