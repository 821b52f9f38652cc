import { expect, test } from 'vitest'
import { chaoticSteps } from '../src/conformance/golden.ts'
import { referenceBackend, testConformance } from '../src/conformance/index.ts'

testConformance(referenceBackend)

test('the chaotic points of the golden descents are those that rounding errors move', async () => {
  const steps = await chaoticSteps()
  expect(steps.map(({ recorded }) => recorded)).toEqual(steps.map(({ found }) => found))
})
