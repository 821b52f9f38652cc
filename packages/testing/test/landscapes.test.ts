import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classics, minimaOf, paper } from '../src/landscapes.ts'
import { expectClose } from '../src/tolerance.ts'

const coordinate = fc.double({ min: -2, max: 2, noNaN: true })
const kinks = [-0.9, -0.5, -0.4, 0, 0.4, 0.5]

test.each([...paper, ...classics])('the gradient of $name is its slope', (landscape) => {
  const axes = landscape.minimum.length
  const point = fc
    .array(coordinate, { minLength: axes, maxLength: axes })
    .filter(([x]) => axes > 1 || kinks.every((kink) => Math.abs(x - kink) > 1e-4))
  fc.assert(
    fc.property(point, (point) => {
      const gradient = landscape.gradient(point)
      for (const [i, slope] of gradient.entries()) {
        const [above, below] = [1e-6, -1e-6].map((h) =>
          landscape.value(point.map((x, k) => (k === i ? x + h : x))),
        )
        // Central differences with step 1e-6 are wrong by up to about 1e-6 of the value.
        expectClose((above - below) / 2e-6, slope, { relative: 5e-4, absolute: 5e-4 })
      }
    }),
  )
})

test.each([...paper, ...classics])('no point lies below the minimum of $name', (landscape) => {
  const axes = landscape.minimum.length
  const lowest = landscape.value(landscape.minimum)
  fc.assert(
    fc.property(fc.array(coordinate, { minLength: axes, maxLength: axes }), (point) => {
      expect(landscape.value(point)).toBeGreaterThanOrEqual(lowest - 1e-6)
    }),
  )
})

test.each([...paper, ...classics])('$name has equal values at all its minima', (landscape) => {
  for (const minimum of minimaOf(landscape)) {
    expectClose(landscape.value(minimum), landscape.value(landscape.minimum), {
      relative: 1e-12,
      absolute: 1e-12,
    })
  }
})

test.each(classics)('the gradient vanishes at every minimum of $name', (landscape) => {
  for (const minimum of minimaOf(landscape)) {
    for (const slope of landscape.gradient(minimum)) expect(Math.abs(slope)).toBeLessThan(1e-12)
  }
})

test('the noise of the ravine is standard normal, and the same at every call', () => {
  const ravine = classics.find(({ noise }) => noise)
  const values = Array.from({ length: 4096 }, (_, t) => ravine?.noise?.(t) ?? []).flat()
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  expect(values).toHaveLength(8192)
  expect(Math.abs(mean)).toBeLessThan(0.05) // 4.5 standard deviations of the mean.
  expect(Math.abs(variance - 1)).toBeLessThan(0.07)
  expect(ravine?.noise?.(7)).toEqual(ravine?.noise?.(7))
})
