import { adam, adamW, allRules, diffGrad, sgd, type UpdateRule } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law } from '../subject.ts'
import { begin, gradientsAt, known, parameters, trajectory, walk } from './trials.ts'

/** How far one step goes, and what decides it. */
export const steps: readonly Law[] = [
  {
    name: 'the first step is α·ξ(g)·g√(1−β₂)/(√(1−β₂)|g| + ε), for gradients from 1e-12 to 1e6',
    async check(subject) {
      const [learningRate, beta2, epsilon] = [0.5, 0.999, 1e-8]
      for (const g of [1e-12, -1e-6, 0.03, -1, 250, 1e6]) {
        const session = subject.create(diffGrad, {
          dtype: subject.dtypes[0],
          parameters: { x: { values: [0], shape: [1] } },
          options: { learningRate, beta2, epsilon },
        })
        await session.step({ x: [g] })
        const xi = 1 / (1 + Math.exp(-Math.abs(g)))
        const root = Math.sqrt(1 - beta2)
        const expected = (-learningRate * xi * g * root) / (root * Math.abs(g) + epsilon)
        const [x] = (await session.parameters()).x
        expect(Math.abs(x / expected - 1)).toBeLessThan(1e-5)
      }
    },
  },
  {
    name: 'huge and tiny gradients leave every rule finite and moving',
    async check(subject) {
      for (const rule of allRules) {
        for (const scale of [1e6, 1e-12]) {
          const zero = { values: [0, 0, 0], shape: [3] }
          const session = begin(subject, rule, known(rule, { epsilon: 1e-16 }), {
            parameters: { bias: zero },
          })
          for (let t = 1; t <= 20; t++) await session.step({ bias: gradientsAt(t, scale).bias })
          const { bias } = await session.parameters()
          expect(bias.every((x) => Number.isFinite(x) && x !== 0)).toBe(true)
        }
      }
    },
  },
  {
    name: 'zero gradients move nothing',
    async check(subject) {
      for (const rule of allRules) {
        const session = begin(subject, rule, { learningRate: 0.1, weightDecay: 0 })
        await walk(session, 1, 20, 0)
        const { bias, weights } = await session.parameters()
        expect({ bias, weights }).toEqual({
          bias: parameters.bias.values,
          weights: parameters.weights.values,
        })
      }
    },
  },
  {
    name: 'decoupled decay alone shrinks by 1−αλ a step; L2 decay of Adam steps by about α',
    async check(subject) {
      const [learningRate, weightDecay] = [0.125, 0.5]
      const decayed = async (rule: UpdateRule, decay?: string): Promise<number> => {
        const session = begin(subject, rule, { learningRate, weightDecay, ...(decay && { decay }) })
        await walk(session, 1, 1, 0)
        return (await session.parameters()).bias[2]
      }
      const [shrunk, stepped] = [2 * (1 - learningRate * weightDecay), 2 - learningRate]
      expect(await decayed(adam)).toBeCloseTo(stepped, 5)
      expect(await decayed(adamW)).toBeCloseTo(shrunk, 5)
      expect(await decayed(adamW, 'l2')).toBeCloseTo(stepped, 5)
      const friction = 1 / (1 + Math.exp(-2 * weightDecay))
      expect(await decayed(diffGrad)).toBeCloseTo(2 - learningRate * friction, 5)
      expect(await decayed(diffGrad, 'decoupled')).toBeCloseTo(shrunk, 5)
    },
  },
  {
    name: 'the order of the parameters does not matter',
    async check(subject) {
      for (const rule of allRules) {
        const options = { learningRate: 0.1, clip: { by: 'value', limit: 1 } }
        const reversed = Object.fromEntries(Object.entries(parameters).reverse())
        const there = await trajectory(subject, rule, options)
        const back = await trajectory(subject, rule, options, { parameters: reversed })
        expect(back).toEqual(there)
      }
    },
  },
  {
    name: 'a parameter without a gradient keeps its value, its memory and its step counter',
    async check(subject) {
      for (const rule of allRules) {
        const options = { learningRate: 0.1, lookahead: { every: 3, alpha: 0.5 } }
        const together = begin(subject, rule, options)
        const alone = begin(subject, rule, options, {
          parameters: { bias: parameters.bias },
        })
        for (let t = 1; t <= 12; t++) {
          const { bias, weights } = gradientsAt(t)
          const present = t % 3 !== 0
          await together.step(present ? { bias, weights } : { weights })
          if (present) await alone.step({ bias })
        }
        expect((await together.parameters()).bias).toEqual((await alone.parameters()).bias)
      }
    },
  },
  {
    name: 'groups act: each parameter moves as it would alone with its own settings',
    async check(subject) {
      for (const rule of allRules) {
        const base = { learningRate: 0.1, weightDecay: 0.01 }
        const own = { learningRate: 0.02, weightDecay: 0 }
        const grouped = await trajectory(subject, rule, {
          ...base,
          groups: [{ parameters: /bias/, ...own }],
        })
        expect(grouped.weights).toEqual((await trajectory(subject, rule, base)).weights)
        expect(grouped.bias).toEqual((await trajectory(subject, rule, own)).bias)
      }
    },
  },
  {
    name: 'a scheduled learning rate is that of its step, and reports lower a plateau',
    async check(subject) {
      const linear = { kind: 'linear', from: 0.25, to: 0, steps: 2 }
      const falling = begin(subject, sgd, { learningRate: linear })
      for (let t = 0; t < 4; t++) await falling.step({ bias: [1, 1, 1] })
      expect((await falling.parameters()).bias[0]).toBeCloseTo(0.5 - 0.25 - 0.125, 6)

      const patient = {
        kind: 'plateau',
        from: 0.5,
        factor: 0.5,
        patience: 0,
        threshold: 0,
        minimum: 0,
      }
      const waiting = begin(subject, sgd, { learningRate: patient })
      for (const loss of [3, 2, 2]) {
        await waiting.step({ bias: [1, 1, 1] })
        waiting.optimizer.report(loss)
      }
      await waiting.step({ bias: [1, 1, 1] })
      expect((await waiting.parameters()).bias[0]).toBeCloseTo(0.5 - 3 * 0.5 - 0.25, 6)
    },
  },
  {
    name: 'momentum and weight decay follow their schedules',
    async check(subject) {
      const momentum = { kind: 'linear', from: 0, to: 0.5, steps: 1 }
      const pushed = begin(subject, sgd, { learningRate: 1, momentum })
      for (let t = 0; t < 3; t++) await pushed.step({ bias: [1, 0, 0] })
      // The velocity is 1, then 0.5·1 + 1, then 0.5·1.5 + 1.
      expect((await pushed.parameters()).bias[0]).toBeCloseTo(0.5 - 1 - 1.5 - 1.75, 6)

      const weightDecay = { kind: 'linear', from: 0.5, to: 0, steps: 1 }
      const shrunk = begin(subject, sgd, { learningRate: 0.5, weightDecay, decay: 'decoupled' })
      for (let t = 0; t < 3; t++) await shrunk.step({ bias: [0, 0, 0] })
      expect((await shrunk.parameters()).bias[2]).toBeCloseTo(2 * (1 - 0.5 * 0.5), 6)
    },
  },
  {
    name: "Nesterov's momentum steps by g + μm, with m = μm + g",
    async check(subject) {
      const session = begin(subject, sgd, { learningRate: 1, momentum: 0.5, nesterov: true })
      const expected = [0.5 - 1.5, 0.5 - 1.5 + 1.25, 0.5 - 1.5 + 1.25 - 4.375]
      for (const [t, g] of [1, -1, 3].entries()) {
        await session.step({ bias: [g, 0, 0] })
        expect((await session.parameters()).bias[0]).toBeCloseTo(expected[t], 6)
      }
    },
  },
  {
    name: 'every element of a long array moves like the first with its value and gradient',
    async check(subject) {
      const [length, period] = [1301, 7]
      for (const rule of allRules) {
        const start = Array.from({ length }, (_, i) => (i % period) - 3)
        const long = begin(
          subject,
          rule,
          { learningRate: 0.1 },
          {
            parameters: { x: { values: start, shape: [length] } },
          },
        )
        for (let t = 1; t <= 7; t++) {
          await long.step({ x: start.map((_, i) => Math.sin(t * (1 + (i % period)))) })
        }
        const { x } = await long.parameters()
        expect(x).toEqual(x.map((_, i) => x[i % period]))
        expect(x.slice(0, period)).not.toEqual(start.slice(0, period))
      }
    },
  },
]
