import { allRules } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law, LooseOptions } from '../subject.ts'
import { known, trajectory } from './trials.ts'

/** For each option, a value other than any default, and what else it takes for it to act. */
const changes: Readonly<Record<string, readonly LooseOptions[]>> = {
  learningRate: [{}, { learningRate: 0.02 }],
  weightDecay: [{}, { weightDecay: 0.3 }],
  // With neither averages nor momentum, both are the same equation.
  decay: [
    { weightDecay: 0.3, decay: 'l2', momentum: 0.7 },
    { weightDecay: 0.3, decay: 'decoupled', momentum: 0.7 },
  ],
  momentum: [{}, { momentum: 0.7 }],
  nesterov: [{ momentum: 0.7 }, { momentum: 0.7, nesterov: true }],
  beta1: [{}, { beta1: 0.6 }],
  beta2: [{}, { beta2: 0.6 }],
  epsilon: [{}, { epsilon: 0.1 }],
  amsgrad: [{ beta2: 0.5 }, { beta2: 0.5, amsgrad: true }],
  version: [{ version: 0 }, { version: 1 }, { version: 2 }],
  aliased: [{}, { aliased: true }],
  degenerateToSgd: [{}, { degenerateToSgd: false }],
  memoryLength: [{}, { memoryLength: 5 }],
  averageStep: [{}, { averageStep: true }],
}

const surroundings: Readonly<Record<string, readonly LooseOptions[]>> = {
  centralize: [{ centralize: false }, { centralize: true }],
  clip: [
    { clip: { by: 'value', limit: 0.5 } },
    { clip: { by: 'norm', limit: 0.5 } },
    { clip: { by: 'globalNorm', limit: 0.5 } },
    { clip: { by: 'globalNorm', limit: 0.25 } },
  ],
  accumulate: [{}, { accumulate: 2 }],
  lookahead: [
    { lookahead: false },
    { lookahead: { every: 3, alpha: 0.5 } },
    { lookahead: { every: 3, alpha: 0.25 } },
  ],
}

/** No option is for show. */
export const options: readonly Law[] = [
  {
    name: 'every option of every rule changes the numbers',
    async check(subject) {
      for (const rule of allRules) {
        const own = Object.keys(rule.defaults).map((option) => {
          return [option, changes[option].map((value) => known(rule, value))] as const
        })
        for (const [option, values] of [...own, ...Object.entries(surroundings)]) {
          const ends = await Promise.all(
            values.map((value) => trajectory(subject, rule, { learningRate: 0.1, ...value })),
          )
          const different = new Set(ends.map((end) => JSON.stringify(end)))
          expect(different.size, `${rule.name}: ${option}`).toBe(values.length)
        }
      }
    },
  },
]
