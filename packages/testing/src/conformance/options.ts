import { expect } from 'vitest'
import type { Law, UntypedOptions } from './backend-under-test.ts'
import { afterTenSteps, rulesOf, supportedOptions } from './test-problem.ts'

/** Values for each option of a rule that must give different numbers, with the options they need to have an effect. */
const ruleOptions: Readonly<Record<string, readonly UntypedOptions[]>> = {
  learningRate: [{}, { learningRate: 0.02 }],
  weightDecay: [{}, { weightDecay: 0.3 }],
  // Without moments or momentum, L2 and decoupled decay are the same equation.
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
  momentumDecay: [{}, { momentumDecay: 0.1 }],
  normDecay: [{}, { normDecay: 0.5 }],
  memoryLength: [{}, { memoryLength: 5 }],
  averageStep: [{}, { averageStep: true }],
}

/** The same for the options of the transforms around a rule. */
const transformOptions: Readonly<Record<string, readonly UntypedOptions[]>> = {
  centralize: [{ centralize: false }, { centralize: true }],
  clip: [
    { clip: { by: 'value', limit: 0.5 } },
    { clip: { by: 'norm', limit: 0.5 } },
    { clip: { by: 'globalNorm', limit: 0.5 } },
    // Longer than some gradients: the sign of an average does not depend on a factor of all of them.
    { clip: { by: 'globalNorm', limit: 7 } },
  ],
  accumulate: [{}, { accumulate: 2 }],
  lookahead: [
    { lookahead: false },
    { lookahead: { every: 3, alpha: 0.5 } },
    { lookahead: { every: 3, alpha: 0.25 } },
  ],
}

/** Every option has an effect. */
export const optionLaws: readonly Law[] = [
  {
    name: 'every option of every rule changes the numbers',
    async check(backend) {
      for (const rule of rulesOf(backend)) {
        const own = Object.keys(rule.defaults).map((option) => {
          return [
            option,
            ruleOptions[option]
              .map((value) => supportedOptions(rule, value))
              .filter((value) => !rule.conflict?.({ ...rule.defaults, ...value })),
          ] as const
        })
        for (const [option, values] of [...own, ...Object.entries(transformOptions)]) {
          const ends = await Promise.all(
            values.map((value) => afterTenSteps(backend, rule, { learningRate: 0.1, ...value })),
          )
          const different = new Set(ends.map((end) => JSON.stringify(end)))
          expect(different.size, `${rule.name}: ${option}`).toBe(values.length)
        }
      }
    },
  },
]
