import { expect, test } from 'vitest'
import * as rules from '../../src/gradient/operators/index.ts'
import { cases } from './cases.ts'
import { tolerance, worstError } from './check.ts'

test.each(cases)(
  'the gradient of $operator agrees with finite differences: $about',
  async (one) => {
    expect(await worstError(one, 5)).toBeLessThan(tolerance)
  },
)

test('every operator that has a gradient rule is checked', () => {
  const checked = new Set(cases.map(({ operator }) => operator))
  expect(Object.keys(rules).filter((operator) => !checked.has(operator))).toEqual([])
})
