import { expect, test } from 'vitest'
import { expectClose, expectWithinUlps, ulpsBetween } from '../src/tolerance.ts'

test('a relative tolerance grows with the values and is named in the error', () => {
  expectClose([75.6, -1e-20], [75.60003, -1.0000001e-20], { relative: 1e-6 })
  expect(() => expectClose([1, 75.6], [1, 75.61], { relative: 1e-6 })).toThrow(
    /^element 1: 75.6, expected 75.61, differs by 0\.01/,
  )
  expect(() => expectClose(1e-9, 2e-9, { relative: 1e-6 })).toThrow(/element 0/)
  expectClose(1e-9, 2e-9, { relative: 1e-6, absolute: 1e-8 })
})

test('NaN agrees with nothing, an infinity with itself', () => {
  expectClose(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, { relative: 0 })
  expect(() => expectClose(Number.NaN, Number.NaN, { relative: 1 })).toThrow(/NaN/)
  expect(() => expectClose(Number.POSITIVE_INFINITY, 1, { relative: 1e-6 })).toThrow(/Infinity/)
  expect(() => expectWithinUlps(Number.NaN, 1, 5)).toThrow(/NaN/)
  expect(() => expectClose([1], [1, 2], { relative: 0 })).toThrow('expected 2 elements')
})

test('ulps count float32 values, across zero too', () => {
  expect(ulpsBetween(1, 1 + 2 ** -23)).toBe(1)
  expect(ulpsBetween(1, 1 - 2 ** -24)).toBe(1)
  expect(ulpsBetween(2 ** -149, -(2 ** -149))).toBe(2)
  expect(ulpsBetween(0, -0)).toBe(0)
  expect(() => expectWithinUlps(1, 1 + 2 ** -22, 1)).toThrow('is 2 ulps away')
})
