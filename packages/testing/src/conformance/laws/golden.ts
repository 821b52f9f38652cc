import { expect } from 'vitest'
import { type GoldenResult, runFunctions, runTrajectories, tolerance } from '../golden/golden.ts'
import type { Law } from '../subject.ts'

const agree = (results: readonly GoldenResult[]): void => {
  const wrong = results.filter(({ dtype, error }) => !(error <= tolerance[dtype]))
  expect(wrong).toEqual([])
}

/** Agreement with independent implementations. */
export const golden: readonly Law[] = [
  {
    name: 'golden trajectories on recorded gradients',
    async check(subject) {
      agree(await runTrajectories(subject))
    },
  },
  {
    name: 'golden descents of functions of one and two variables',
    async check(subject) {
      agree(await runFunctions(subject))
    },
  },
]
