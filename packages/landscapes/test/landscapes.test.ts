import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classics, paper } from '../src/index.ts'

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
        expect((above - below) / 2e-6 / Math.max(1, Math.abs(slope))).toBeCloseTo(
          slope / Math.max(1, Math.abs(slope)),
          3,
        )
      }
    }),
  )
})

test.each([...paper, ...classics])('nothing lies below the minimum of $name', (landscape) => {
  const axes = landscape.minimum.length
  const lowest = landscape.value(landscape.minimum)
  fc.assert(
    fc.property(fc.array(coordinate, { minLength: axes, maxLength: axes }), (point) => {
      expect(landscape.value(point)).toBeGreaterThanOrEqual(lowest - 1e-6)
    }),
  )
})
