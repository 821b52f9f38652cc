import { allRules, diffGrad, rangeOf, type UpdateRule } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law, UntypedOptions } from './backend-under-test.ts'
import { afterTenSteps, supportedOptions, supportedTransforms } from './test-problem.ts'

/** Options with which each other option has an effect. */
const context: UntypedOptions = { learningRate: 0.1, weightDecay: 0.3, momentum: 0.7, beta2: 0.9 }

/** Values of an option of a rule that must give different numbers: each choice, or the default and another number. */
function valuesOf(rule: UpdateRule, option: string): readonly UntypedOptions[] {
  const { choices, includes } = rangeOf(rule, option)
  const standard: unknown = Object.entries(rule.defaults).find(([name]) => name === option)?.[1]
  const numbers = [standard, [0.6, 5].find((value) => includes(value) && value !== standard)]
  return (choices ?? numbers).map((value) => ({ [option]: value }))
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
      // Options act in core. The golden trajectories compare the kernels of the other backends.
      const rules: readonly UpdateRule[] = backend.dtypes.includes('float64')
        ? allRules
        : [diffGrad]
      for (const rule of rules) {
        const own = Object.keys(rule.defaults).map((option) => {
          const values = valuesOf(rule, option)
            .map((value) => supportedOptions(rule, { ...context, ...value }))
            .filter((value) => !rule.conflict?.({ ...rule.defaults, ...value }))
          return [option, values] as const
        })
        const transforms = Object.entries(supportedTransforms(rule, transformOptions))
        for (const [option, values] of [...own, ...transforms]) {
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
