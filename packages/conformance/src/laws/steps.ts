import { adam, adamW, diffGrad, sgd, type UpdateRule } from '@diffgrad/core'
import { expect } from 'vitest'
import { rules } from '../golden/golden.ts'
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
      for (const rule of rules) {
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
      for (const rule of rules) {
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
      const [l2, w] = [adam, adamW]
      expect(await decayed(l2)).toBeCloseTo(stepped, 5)
      expect(await decayed(w)).toBeCloseTo(shrunk, 5)
      expect(await decayed(w, 'l2')).toBeCloseTo(stepped, 5)
      const friction = 1 / (1 + Math.exp(-2 * weightDecay))
      const own = diffGrad
      expect(await decayed(own)).toBeCloseTo(2 - learningRate * friction, 5)
      expect(await decayed(own, 'decoupled')).toBeCloseTo(shrunk, 5)
    },
  },
  {
    name: 'the order of the parameters does not matter',
    async check(subject) {
      for (const rule of rules) {
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
      for (const rule of rules) {
        const options = { learningRate: 0.1, lookahead: false }
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
      for (const rule of rules) {
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
      const plain = sgd
      const linear = { kind: 'linear', from: 0.25, to: 0, steps: 2 }
      const falling = begin(subject, plain, { learningRate: linear })
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
      const waiting = begin(subject, plain, { learningRate: patient })
      for (const loss of [3, 2, 2]) {
        await waiting.step({ bias: [1, 1, 1] })
        waiting.optimizer.report(loss)
      }
      await waiting.step({ bias: [1, 1, 1] })
      expect((await waiting.parameters()).bias[0]).toBeCloseTo(0.5 - 3 * 0.5 - 0.25, 6)
    },
  },
]
