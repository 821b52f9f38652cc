import { testSeed } from '@diffgrad/testing/seed'
import { expect, test } from 'vitest'
import { decompositions } from '../../src/autodiff/decompositions.ts'
import { gradientRules } from '../../src/autodiff/gradients.ts'
import { cases } from './cases.ts'
import { tolerance, worstError } from './check.ts'

test.each(cases)(
  'the gradient of $operator agrees with finite differences: $about',
  async (one) => {
    expect(await worstError(one, testSeed(5))).toBeLessThan(tolerance)
  },
)

test('every operator with a gradient rule is checked', () => {
  const checked = new Set(cases.map(({ operator }) => operator))
  const known = [...gradientRules.keys(), ...decompositions.keys()]
  expect(known.filter((operator) => !checked.has(operator))).toEqual([])
})
