import { diffGrad, diffMod, diffRGrad } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law } from './backend-under-test.ts'
import { afterTenSteps, createOptimizer, expectNear, gradientsAt } from './test-problem.ts'

const sigma = (x: number): number => 1 / (1 + Math.exp(-x))

/** ξ as the paper defines it, with d = p − g, the previous gradient minus the current one. */
const xi: Readonly<Record<number, (d: number) => number>> = {
  0: (d) => sigma(Math.abs(d)),
  1: (d) => sigma(d),
  2: (d) => 9 * sigma(Math.abs(d) / 2) - 4,
}

const frictionRules = [diffGrad, diffRGrad, diffMod]

/** The friction coefficient ξ, which distinguishes diffGrad from Adam. */
export const frictionLaws: readonly Law[] = [
  {
    name: 'ξ scales the step by σ(|p−g|), σ(p−g) or 9σ(½|p−g|)−4, with p the previous gradient',
    async check(backend) {
      const [p, g, stepSize] = [0.75, -1.5, 1e-3]
      for (const version of [0, 1, 2] as const) {
        const options = { version, learningRate: stepSize, beta1: 0, beta2: 0, epsilon: 1e-30 }
        const run = backend.create(diffGrad, {
          dtype: backend.dtypes[0],
          parameters: { x: { values: [0], shape: [1] } },
          options,
        })
        await run.step({ x: [p] })
        const before = (await run.parameters()).x[0]
        await run.step({ x: [g] })
        const after = (await run.parameters()).x[0]
        // With β₁ = β₂ = 0, Adam would step by the learning rate, against the sign of g.
        expectNear((after - before) / stepSize, xi[version](p - g))
      }
    },
  },
  {
    name: 'inspect returns ξ and the effective step, and changes nothing',
    async check(backend) {
      for (const rule of frictionRules) {
        const options = { version: 0, learningRate: 0.1, clip: { by: 'value', limit: 2 } }
        const run = createOptimizer(backend, rule, options)
        const uninspected = createOptimizer(backend, rule, options)
        for (let t = 1; t <= 12; t++) {
          const inspection = await run.inspect(gradientsAt(t))
          const before = await run.parameters()
          await run.step(gradientsAt(t))
          await uninspected.step(gradientsAt(t))
          const after = await run.parameters()
          expect(after).toEqual(await uninspected.parameters())
          for (const [name, now] of Object.entries(gradientsAt(t))) {
            for (let i = 0; i < now.length; i++) {
              const clipped = (g: number): number => Math.max(-2, Math.min(g, 2))
              const p = t === 1 ? 0 : clipped(gradientsAt(t - 1)[name][i])
              expectNear(inspection.xi[name][i], xi[0](p - clipped(now[i])))
              const decrease = before[name][i] - after[name][i]
              expectNear(inspection.effectiveStep[name][i], decrease)
            }
          }
        }
      }
    },
  },
  {
    name: 'the effective step that inspect returns excludes decoupled decay',
    async check(backend) {
      const plain = createOptimizer(backend, diffGrad, { learningRate: 0.1 })
      const decayed = createOptimizer(backend, diffGrad, {
        learningRate: 0.1,
        weightDecay: 0.5,
        decay: 'decoupled',
      })
      const gradients = gradientsAt(1)
      expect(await decayed.inspect(gradients)).toEqual(await plain.inspect(gradients))
    },
  },
  {
    name: 'the previous gradient is kept by value, also if the caller reuses one buffer',
    async check(backend) {
      for (const rule of frictionRules) {
        const options = { learningRate: 0.1 }
        const fresh = await afterTenSteps(backend, rule, options)
        expect(await afterTenSteps(backend, rule, options, { reuseBuffer: true })).toEqual(fresh)
        expect(await afterTenSteps(backend, rule, { ...options, aliased: true })).not.toEqual(fresh)
      }
    },
  },
]
