import { diffGrad, diffMod, diffRGrad } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law } from '../subject.ts'
import { begin, gradientsAt, trajectory } from './trials.ts'

const sigma = (x: number): number => 1 / (1 + Math.exp(-x))

/** ξ by the definition in the paper, with d the previous gradient minus the current one. */
const xi: Readonly<Record<number, (d: number) => number>> = {
  0: (d) => sigma(Math.abs(d)),
  1: (d) => sigma(d),
  2: (d) => 9 * sigma(Math.abs(d) / 2) - 4,
}

const rules = [diffGrad, diffRGrad, diffMod]

/** What sets diffGrad apart from Adam. */
export const friction: readonly Law[] = [
  {
    name: 'ξ scales the step: with g after p, by σ(|p−g|), σ(p−g) or 9σ(½|p−g|)−4',
    async check(subject) {
      const [p, g, stepSize] = [0.75, -1.5, 1e-3]
      for (const version of [0, 1, 2] as const) {
        const options = { version, learningRate: stepSize, beta1: 0, beta2: 0, epsilon: 1e-30 }
        const session = subject.create(diffGrad, {
          dtype: subject.dtypes[0],
          parameters: { x: { values: [0], shape: [1] } },
          options,
        })
        await session.step({ x: [p] })
        const before = (await session.parameters()).x[0]
        await session.step({ x: [g] })
        const after = (await session.parameters()).x[0]
        // Without averages, Adam would step by the learning rate, against the sign of g.
        expect((after - before) / stepSize).toBeCloseTo(xi[version](p - g), 5)
      }
    },
  },
  {
    name: 'inspect shows ξ and the effective step, and moves nothing',
    async check(subject) {
      for (const rule of rules) {
        const options = { version: 0, learningRate: 0.1, clip: { by: 'value', limit: 2 } }
        const session = begin(subject, rule, options)
        const untouched = begin(subject, rule, options)
        for (let t = 1; t <= 12; t++) {
          const shown = await session.inspect(gradientsAt(t))
          const before = await session.parameters()
          await session.step(gradientsAt(t))
          await untouched.step(gradientsAt(t))
          const after = await session.parameters()
          expect(after).toEqual(await untouched.parameters())
          for (const [name, now] of Object.entries(gradientsAt(t))) {
            for (let i = 0; i < now.length; i++) {
              const clipped = (g: number): number => Math.max(-2, Math.min(g, 2))
              const p = t === 1 ? 0 : clipped(gradientsAt(t - 1)[name][i])
              expect(shown.xi[name][i]).toBeCloseTo(xi[0](p - clipped(now[i])), 5)
              const moved = before[name][i] - after[name][i]
              expect(shown.effectiveStep[name][i]).toBeCloseTo(moved, 5)
            }
          }
        }
      }
    },
  },
  {
    name: 'the effective step that inspect shows is that of the rule, without decoupled decay',
    async check(subject) {
      const plain = begin(subject, diffGrad, { learningRate: 0.1 })
      const decayed = begin(subject, diffGrad, {
        learningRate: 0.1,
        weightDecay: 0.5,
        decay: 'decoupled',
      })
      const gradients = gradientsAt(1)
      expect(await decayed.inspect(gradients)).toEqual(await plain.inspect(gradients))
    },
  },
  {
    name: 'gradients are kept by value, also when one buffer is refilled',
    async check(subject) {
      for (const rule of rules) {
        const options = { learningRate: 0.1 }
        const fresh = await trajectory(subject, rule, options)
        expect(await trajectory(subject, rule, options, { refill: true })).toEqual(fresh)
        expect(await trajectory(subject, rule, { ...options, aliased: true })).not.toEqual(fresh)
      }
    },
  },
]
