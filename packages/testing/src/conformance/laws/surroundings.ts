import { defineRule, sgd } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law } from '../subject.ts'
import { begin, gradientsAt, parameters, walk } from './trials.ts'

const norm = (values: readonly number[]): number => Math.hypot(...values)

/** What plain SGD with learning rate 1 subtracts: the gradient, as it reached the rule. */
async function conditioned(
  subject: Parameters<Law['check']>[0],
  options: object,
): Promise<Readonly<Record<string, number[]>>> {
  const session = begin(subject, sgd, { learningRate: 1, ...options })
  await session.step(gradientsAt(1))
  const after = await session.parameters()
  return Object.fromEntries(
    Object.entries(after).map(([name, theta]) => [
      name,
      theta.map((x, i) => parameters[name].values[i] - x),
    ]),
  )
}

/** What is done around a rule, against its definition. */
export const surroundings: readonly Law[] = [
  {
    name: 'clipping bounds what it says and keeps directions',
    async check(subject) {
      const raw = await conditioned(subject, {})
      const byValue = await conditioned(subject, { clip: { by: 'value', limit: 0.7 } })
      const byNorm = await conditioned(subject, { clip: { by: 'norm', limit: 0.7 } })
      const global = await conditioned(subject, { clip: { by: 'globalNorm', limit: 0.7 } })
      const total = norm(Object.values(raw).flat())
      for (const [name, g] of Object.entries(raw)) {
        for (const [i, x] of g.entries()) {
          expect(byValue[name][i]).toBeCloseTo(Math.max(-0.7, Math.min(x, 0.7)), 5)
          expect(byNorm[name][i]).toBeCloseTo((x * 0.7) / norm(g), 5)
          expect(global[name][i]).toBeCloseTo((x * 0.7) / total, 5)
        }
      }
    },
  },
  {
    name: 'a norm that is not finite leaves no gradient finite that it is a norm of',
    async check(subject) {
      for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const by of ['norm', 'globalNorm']) {
          const session = begin(subject, sgd, { learningRate: 1, clip: { by, limit: 1 } })
          const { weights } = gradientsAt(1)
          await session.step({ bias: [0.5, poison, 0.5], weights })
          const after = await session.parameters()
          expect(after.bias.every(Number.isFinite)).toBe(false)
          expect(after.weights.every(Number.isFinite)).toBe(by === 'norm')
        }
      }
    },
  },
  {
    name: 'centralization takes the mean off each row of a matrix, and leaves a vector alone',
    async check(subject) {
      const raw = await conditioned(subject, {})
      const centralized = await conditioned(subject, { centralize: true })
      expect(centralized.bias).toEqual(raw.bias)
      for (const row of [0, 2, 4]) {
        const mean = (raw.weights[row] + raw.weights[row + 1]) / 2
        expect(centralized.weights[row]).toBeCloseTo(raw.weights[row] - mean, 5)
        expect(centralized.weights[row + 1]).toBeCloseTo(raw.weights[row + 1] - mean, 5)
      }
    },
  },
  {
    name: 'accumulation steps by the mean of the gradients, and says when',
    async check(subject) {
      const session = begin(subject, sgd, { learningRate: 1, accumulate: 3 })
      const [a, b, c] = [1, 2, 3].map((t) => gradientsAt(t).bias)
      expect(await session.step({ bias: a })).toBe('accumulated')
      expect(await session.step({ bias: b })).toBe('accumulated')
      expect((await session.parameters()).bias).toEqual(parameters.bias.values)
      expect(await session.step({ bias: c })).toBe('updated')
      const { bias } = await session.parameters()
      for (let i = 0; i < 3; i++) {
        expect(bias[i]).toBeCloseTo(parameters.bias.values[i] - (a[i] + b[i] + c[i]) / 3, 5)
      }
    },
  },
  {
    name: 'the weight average follows by 1−d, and swapping it in and out changes nothing',
    async check(subject) {
      const session = begin(subject, sgd, { learningRate: 0.5, ema: { decay: 0.75 } })
      const average = [...parameters.bias.values]
      for (let t = 1; t <= 5; t++) {
        await walk(session, t, t)
        const { bias } = await session.parameters()
        for (const [i, x] of bias.entries()) average[i] += 0.25 * (x - average[i])
      }
      const trained = await session.parameters()
      session.optimizer.swapEma()
      const { bias } = await session.parameters()
      for (const [i, x] of bias.entries()) expect(x).toBeCloseTo(average[i], 5)
      session.optimizer.swapEma()
      expect(await session.parameters()).toEqual(trained)
    },
  },
  {
    name: 'gradients are centralized first and clipped then, whatever number of axes they have',
    async check(subject) {
      const g = [4, 0, -2, 6, 1, 1, 1, 9]
      const cube = { values: new Array(8).fill(0), shape: [2, 2, 2] }
      const session = begin(
        subject,
        sgd,
        { learningRate: 1, centralize: true, clip: { by: 'value', limit: 3 } },
        { parameters: { cube } },
      )
      await session.step({ cube: g })
      // The means of the two rows are 2 and 3.
      const expected = [-2, 2, 3, -3, 2, 2, 2, -3]
      const moved = (await session.parameters()).cube
      for (const [i, x] of expected.entries()) expect(moved[i]).toBeCloseTo(x, 6)
    },
  },
  {
    name: 'Lookahead moves before the average follows, and both begin at the first step',
    async check(subject) {
      const session = begin(subject, sgd, {
        learningRate: 1,
        lookahead: { every: 1, alpha: 0.5 },
        ema: { decay: 0.5 },
      })
      await session.place({ bias: [8, 0, 0] })
      await session.step({ bias: [4, 0, 0] })
      // 8 − 4 = 4; half way back to 8 is 6; the average of 8 and 6 is 7.
      expect((await session.parameters()).bias[0]).toBeCloseTo(6, 6)
      session.optimizer.swapEma()
      expect((await session.parameters()).bias[0]).toBeCloseTo(7, 6)
    },
  },
  {
    name: "a user's own rule runs like a shipped one",
    async check(subject) {
      const adaBelief = defineRule({
        name: 'AdaBelief',
        defaults: { learningRate: 0.1, weightDecay: 0, decay: 'l2', beta1: 0.9, epsilon: 1e-8 },
        stateNames: () => ['m', 's'],
        coefficients: ({ learningRate, beta1, epsilon }) => ({ learningRate, beta1, epsilon }),
        update({ constant, add, sub, mul, div, square, sqrt }, { g, m: m0, s: s0 }, c) {
          const m = add(mul(c.beta1, m0), mul(sub(constant(1), c.beta1), g))
          const s = add(mul(constant(0.5), s0), mul(constant(0.5), square(sub(g, m))))
          return { step: div(mul(c.learningRate, m), add(sqrt(s), c.epsilon)), m, s }
        },
      })
      const session = begin(subject, adaBelief)
      await walk(session, 1, 10)
      const { bias } = await session.parameters()
      for (const i of [0, 1, 2]) {
        let [theta, m, s] = [parameters.bias.values[i], 0, 0]
        for (let t = 1; t <= 10; t++) {
          const g = gradientsAt(t).bias[i]
          m = 0.9 * m + 0.1 * g
          s = 0.5 * s + 0.5 * (g - m) ** 2
          theta -= (0.1 * m) / (Math.sqrt(s) + 1e-8)
        }
        expect(bias[i]).toBeCloseTo(theta, 5)
      }
    },
  },
]
