import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import {
  finalOf,
  gapOf,
  measured,
  orderOf,
  orders,
  published,
  runNoise,
  simulate,
  tally,
} from '../src/evidence/cifar10.ts'

test('the noise of a run is the deviation from contender plus seed', () => {
  const keys = ['original', 'fixed0', 'fixed1', 'adam', 'adam_half']
  const differences = keys.map((key) => finalOf(key, '1') - finalOf(key, '2'))
  const mean = differences.reduce((sum, x) => sum + x, 0) / keys.length
  // With two seeds, the residuals of both are half of what a difference is from the mean one.
  const squares = differences.reduce((sum, x) => sum + (x - mean) ** 2 / 2, 0)
  expectClose(runNoise, Math.sqrt(squares / (keys.length - 1)), { relative: 0.01 })
})

test('the orders are those that were published and measured, and all others', () => {
  expect(new Set(orders).size).toBe(6)
  expect(orderOf(published)).toBe('original, Adam, fixed')
  expect(measured.map(orderOf)).toEqual(['original, Adam, fixed', 'fixed, original, Adam'])
  expectClose(gapOf(published), 0.96, { relative: 1e-9 })
})

test('simulated outcomes have the noise of averaged runs, and the draws of a tally', () => {
  const outcomes = Array.from({ length: 2000 }, (_, i) => simulate(i + 1, 4)).flat()
  const mean = outcomes.reduce((sum, x) => sum + x, 0) / outcomes.length
  const variance = outcomes.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (outcomes.length - 1)
  expectClose(Math.sqrt(variance), runNoise / 2, { relative: 0.03 })
  const { counts } = tally(2000, 4)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2000)
})
