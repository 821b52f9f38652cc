import { linear, nadam } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law } from './backend-under-test.ts'
import {
  createOptimizer,
  expectNear,
  gradientsAt,
  parameters,
  throughJson,
} from './test-problem.ts'

/** What implementations of single rules get wrong. Expected values are the papers' equations, written out. */
export const ruleLaws: readonly Law[] = [
  {
    name: 'NAdam multiplies the momenta that a parameter had at its own steps, also after a saved state is loaded',
    async check(backend) {
      const [learningRate, beta2, epsilon, momentumDecay] = [0.05, 0.9, 1e-6, 0.5]
      const beta1 = linear({ from: 0.2, to: 0.95, steps: 8 })
      const options = { learningRate, beta1, beta2, epsilon, momentumDecay }
      let run = createOptimizer(backend, nadam, options)
      const expected: Record<string, readonly number[]> = {}
      for (const [name, { values }] of Object.entries(parameters)) {
        let [t, product] = [0, 1]
        const [theta, m, v] = [[...values], values.map(() => 0), values.map(() => 0)]
        for (let update = 0; update < 12; update++) {
          if (isMissing(name, update)) continue
          t++
          const b1 = 0.2 + 0.75 * Math.min(update / 8, 1)
          const [mu, next] = [t, t + 1].map((k) => b1 * (1 - 0.5 * 0.96 ** (k * momentumDecay)))
          product *= mu
          for (const [i, g] of Array.from(gradientsAt(update)[name]).entries()) {
            m[i] = b1 * m[i] + (1 - b1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g ** 2
            const mHat = ((1 - mu) * g) / (1 - product) + (next * m[i]) / (1 - product * next)
            theta[i] -= (learningRate * mHat) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon)
          }
        }
        expected[name] = theta
      }
      for (let update = 0; update < 12; update++) {
        const gradients = Object.entries(gradientsAt(update))
        await run.step(Object.fromEntries(gradients.filter(([name]) => !isMissing(name, update))))
        if (update !== 6) continue
        // Both parameters have taken as many steps, but not with the same momenta.
        const saved = await run.optimizer.stateDict()
        const [bias, weights] = Object.values(saved.parameters)
        expect(bias.step).toBe(weights.step)
        expect(bias.scalars).not.toEqual(weights.scalars)
        const values = await run.parameters()
        run = createOptimizer(backend, nadam, options)
        run.optimizer.loadStateDict(throughJson(saved))
        await run.setParameters(values)
      }
      for (const [name, values] of Object.entries(await run.parameters())) {
        expectNear(values, expected[name])
      }
    },
  },
]

/** Whether a parameter has no gradient at an update, counted from 0. */
const isMissing = (name: string, update: number): boolean => update === (name === 'bias' ? 1 : 4)
