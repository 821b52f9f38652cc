import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { classes, shapes } from '../src/shapes/shapes.ts'

test('equal seeds give equal data sets, other seeds others', () => {
  const once = shapes({ count: 20, seed: 3 })
  expect(shapes({ count: 20, seed: 3 })).toEqual(once)
  expect(shapes({ count: 20, seed: 4 }).pixels).not.toEqual(once.pixels)
})

test('a shorter set is the beginning of a longer one', () => {
  const longer = shapes({ count: 12, size: 32 })
  const shorter = shapes({ count: 5, size: 32 })
  expect(longer.pixels.subarray(0, shorter.pixels.length)).toEqual(shorter.pixels)
})

test('the pixels of a small data set are those of the recorded checksum', () => {
  const { pixels, labels } = shapes({ count: 40, size: 16, seed: 5 })
  const checksum = createHash('sha256').update(pixels).update(labels).digest('hex')
  expect(checksum).toBe('e5324b5ed6ac8827aaf119c3c02035a2743d9579d3ebd3fa473a38e658a28766')
})

test('the classes alternate', () => {
  const { labels } = shapes({ count: 30, size: 8 })
  expect(new Set(classes).size).toBe(10)
  expect([...labels]).toEqual(Array.from({ length: 30 }, (_, i) => i % 10))
})

test('fewer than half of the pictures have a nearest neighbour of their class', () => {
  const [size, count] = [32, 4000]
  const known = shapes({ count, size, seed: 0 })
  const queries = shapes({ count: 200, size, seed: 1 })
  const bytes = size * size * 3
  const hits = [...queries.labels].filter((label, i) => {
    const picture = queries.pixels.subarray(i * bytes, (i + 1) * bytes)
    return label === known.labels[nearest(picture, known.pixels)]
  })
  const share = hits.length / queries.labels.length
  console.log(`raw-pixel nearest neighbours: ${(100 * share).toFixed(1)} %`)
  expect(share).toBeLessThan(0.5)
})

/** The index of the picture at the least Euclidean distance. */
function nearest(picture: Uint8Array, among: Uint8Array): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY]
  for (let i = 0; i * picture.length < among.length; i++) {
    let distance = 0
    for (let k = 0; k < picture.length && distance < least; k++) {
      distance += (picture[k] - among[i * picture.length + k]) ** 2
    }
    if (distance < least) [best, least] = [i, distance]
  }
  return best
}

test.each([
  [{ count: 1.5 }, 'shapes: count must be a whole number, at least 0, but is 1.5'],
  [{ count: 1, size: 4 }, 'shapes: size must be a whole number, at least 8, but is 4'],
  [{ count: 1, seed: 0.5 }, 'shapes: seed must be a whole number, but is 0.5'],
])('%j is refused', (options, message) => {
  expect(() => shapes(options)).toThrow(message)
})
