import { defineRule, diffGrad, sgd } from '@diffgrad/core'
import { expect } from 'vitest'
import type { BackendUnderTest, Law, UntypedOptions } from './backend-under-test.ts'
import { createOptimizer, expectNear, gradientsAt, parameters, takeSteps } from './test-problem.ts'

const norm = (values: readonly number[]): number => Math.hypot(...values)

/** Returns the gradients after the transforms, as plain SGD with learning rate 1 subtracts them. */
async function transformedGradients(
  backend: BackendUnderTest,
  options: UntypedOptions,
): Promise<Readonly<Record<string, number[]>>> {
  const run = createOptimizer(backend, sgd, { learningRate: 1, ...options })
  await run.step(gradientsAt(1))
  const after = await run.parameters()
  return Object.fromEntries(
    Object.entries(after).map(([name, theta]) => [
      name,
      theta.map((x, i) => parameters[name].values[i] - x),
    ]),
  )
}

/** The transforms around a rule, against their definitions. */
export const transformLaws: readonly Law[] = [
  {
    name: 'clipping bounds each value, the norm of each gradient or the global norm',
    async check(backend) {
      const raw = await transformedGradients(backend, {})
      const byValue = await transformedGradients(backend, { clip: { by: 'value', limit: 0.7 } })
      const byNorm = await transformedGradients(backend, { clip: { by: 'norm', limit: 0.7 } })
      const global = await transformedGradients(backend, { clip: { by: 'globalNorm', limit: 0.7 } })
      const total = norm(Object.values(raw).flat())
      for (const [name, g] of Object.entries(raw)) {
        for (const [i, x] of g.entries()) {
          expectNear(byValue[name][i], Math.max(-0.7, Math.min(x, 0.7)))
          expectNear(byNorm[name][i], (x * 0.7) / norm(g))
          expectNear(global[name][i], (x * 0.7) / total)
        }
      }
    },
  },
  {
    name: 'a NaN or infinite norm makes every gradient non-finite that it scales',
    async check(backend) {
      for (const nonFinite of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const by of ['norm', 'globalNorm']) {
          const run = createOptimizer(backend, sgd, { learningRate: 1, clip: { by, limit: 1 } })
          const { weights } = gradientsAt(1)
          await run.step({ bias: [0.5, nonFinite, 0.5], weights })
          const after = await run.parameters()
          expect(after.bias.every(Number.isFinite)).toBe(false)
          expect(after.weights.every(Number.isFinite)).toBe(by === 'norm')
        }
      }
    },
  },
  {
    name: 'centralization subtracts the mean of each row of a matrix and leaves a vector unchanged',
    async check(backend) {
      const raw = await transformedGradients(backend, {})
      const centralized = await transformedGradients(backend, { centralize: true })
      expect(centralized.bias).toEqual(raw.bias)
      for (const row of [0, 2, 4]) {
        const mean = (raw.weights[row] + raw.weights[row + 1]) / 2
        expectNear(centralized.weights[row], raw.weights[row] - mean)
        expectNear(centralized.weights[row + 1], raw.weights[row + 1] - mean)
      }
    },
  },
  {
    name: 'accumulation updates by the mean gradient, and step returns whether it updated',
    async check(backend) {
      const run = createOptimizer(backend, sgd, { learningRate: 1, accumulate: 3 })
      const [a, b, c] = [1, 2, 3].map((t) => gradientsAt(t).bias)
      expect(await run.step({ bias: a })).toBe('accumulated')
      expect(await run.step({ bias: b })).toBe('accumulated')
      expect((await run.parameters()).bias).toEqual(parameters.bias.values)
      expect(await run.step({ bias: c })).toBe('updated')
      const { bias } = await run.parameters()
      for (let i = 0; i < 3; i++) {
        expectNear(bias[i], parameters.bias.values[i] - (a[i] + b[i] + c[i]) / 3)
      }
    },
  },
  {
    name: 'the EMA of the weights moves by 1−d towards them, and swapping it in and out changes nothing',
    async check(backend) {
      const run = createOptimizer(backend, sgd, {
        learningRate: 0.5,
        ema: { decay: 0.75 },
      })
      const average = [...parameters.bias.values]
      for (let t = 1; t <= 5; t++) {
        await takeSteps(run, t, t)
        const { bias } = await run.parameters()
        for (const [i, x] of bias.entries()) average[i] += 0.25 * (x - average[i])
      }
      const trained = await run.parameters()
      run.optimizer.swapAverage()
      const { bias } = await run.parameters()
      for (const [i, x] of bias.entries()) expectNear(x, average[i])
      run.optimizer.swapAverage()
      expect(await run.parameters()).toEqual(trained)
    },
  },
  {
    name: 'the decay of the EMA warms up as min(d, 1 − (1 + n/γ)⁻ᵖ) after n updates of a parameter',
    async check(backend) {
      const run = createOptimizer(backend, sgd, {
        learningRate: 0.5,
        ema: { decay: 0.7, warmup: { gamma: 2, power: 0.75 } },
      })
      const [average] = parameters.bias.values
      // timm's ModelEmaV3: 0, 1 − 1.5^−¾, 1 − 2^−¾, 1 − 2.5^−¾ …
      const decays = [0, 0.262212, 0.405396, 0.497027, 0.561309, 0.609205, 0.64645, 0.676339, 0.7]
      let expected = average
      for (const [t, decay] of decays.entries()) {
        await run.step({
          bias: gradientsAt(t).bias,
          ...(t > 1 && { weights: gradientsAt(t).weights }),
        })
        const [x] = (await run.parameters()).bias
        expected = decay * expected + (1 - decay) * x
      }
      run.optimizer.swapAverage()
      expectNear((await run.parameters()).bias[0], expected)
    },
  },
  {
    name: 'maximize steps as for the opposite gradient, and an L2 decay still shrinks the weights',
    async check(backend) {
      const opposite = ({ bias, weights }: ReturnType<typeof gradientsAt>) => ({
        bias: Array.from(bias, (g) => -g),
        weights: Array.from(weights, (g) => -g),
      })
      for (const rule of [sgd, diffGrad]) {
        const common = { learningRate: 0.1, clip: { by: 'norm', limit: 1 }, accumulate: 2 }
        const up = createOptimizer(backend, rule, { ...common, maximize: true })
        const down = createOptimizer(backend, rule, common)
        for (let t = 1; t <= 6; t++) {
          await up.step(gradientsAt(t))
          await down.step(opposite(gradientsAt(t)))
        }
        expect(await up.parameters()).toEqual(await down.parameters())
      }
      const options = { learningRate: 0.5, weightDecay: 0.5, decay: 'l2', maximize: true }
      const run = createOptimizer(backend, sgd, options)
      await run.step({ bias: [1, 0, -1] })
      // θ + ½(g − ½θ)
      const expected = parameters.bias.values.map((x, i) => x + 0.5 * ([1, 0, -1][i] - 0.5 * x))
      const { bias } = await run.parameters()
      for (const [i, x] of expected.entries()) expectNear(bias[i], x)
      expect((await run.inspect({ bias: [1, 0, 0] })).effectiveStep.bias[0]).toBeLessThan(0)
    },
  },
  {
    name: 'gradients are centralized before they are clipped, for any number of axes',
    async check(backend) {
      const g = [4, 0, -2, 6, 1, 1, 1, 9]
      const cube = { values: new Array(8).fill(0), shape: [2, 2, 2] }
      const run = createOptimizer(
        backend,
        sgd,
        { learningRate: 1, centralize: true, clip: { by: 'value', limit: 3 } },
        { parameters: { cube } },
      )
      await run.step({ cube: g })
      // The means of the two rows are 2 and 3.
      const expected = [-2, 2, 3, -3, 2, 2, 2, -3]
      const moved = (await run.parameters()).cube
      for (const [i, x] of expected.entries()) expectNear(moved[i], x)
    },
  },
  {
    name: 'a cautious step moves the elements that agree with the gradient, divided by their share, and decays all',
    async check(backend) {
      const options = { learningRate: 1, momentum: 0.5, cautious: true }
      const decay = { weightDecay: 0.125, decay: 'decoupled' }
      const run = createOptimizer(backend, sgd, { ...options, ...decay })
      await run.setParameters({ bias: [8, 8, 8], weights: [0, 0, 0, 0, 0, 0] })
      const weights = [1, 1, 1, 1, 1, 1]
      const tiny = backend.dtypes[0] === 'float64' ? 1e-200 : 1e-30
      await run.step({ bias: [1, 1, tiny], weights })
      // All agree: 8 − 1 − 1, and 8 − 1 for the small one, whose product with its step underflows.
      expectNear((await run.parameters()).bias, [6, 6, 7])
      await run.step({ bias: [-0.25, 1, 1], weights: weights.map((w) => -0.125 * w) })
      // m = 0.25, 1.5, 1: the first disagrees, and the others move by 3/2 of their steps. No weight agrees.
      expectNear((await run.parameters()).bias, [5.25, 5.25 - 2.25, 6.125 - 1.5])
      expectNear((await run.parameters()).weights, new Array(6).fill(-(1 - 0.125)))
    },
  },
  {
    name: 'Lookahead synchronizes before the EMA is updated, and both start from the weights of the first step',
    async check(backend) {
      const run = createOptimizer(backend, sgd, {
        learningRate: 1,
        lookahead: { every: 1, alpha: 0.5 },
        ema: { decay: 0.5 },
      })
      await run.setParameters({ bias: [8, 0, 0] })
      await run.step({ bias: [4, 0, 0] })
      // 8 − 4 = 4; halfway back to 8 is 6; the average of 8 and 6 is 7.
      expectNear((await run.parameters()).bias[0], 6)
      run.optimizer.swapAverage()
      expectNear((await run.parameters()).bias[0], 7)
    },
  },
  {
    name: 'a user-defined rule runs like a shipped one',
    async check(backend) {
      const own = defineRule({
        name: 'uncorrected AdaBelief',
        defaults: { learningRate: 0.1, weightDecay: 0, decay: 'l2', beta1: 0.9, epsilon: 1e-8 },
        stateNames: () => ['m', 's'],
        coefficients: ({ learningRate, beta1, epsilon }) => ({ learningRate, beta1, epsilon }),
        update({ constant, add, sub, mul, div, square, sqrt }, { g, m: m0, s: s0 }, c) {
          const m = add(mul(c.beta1, m0), mul(sub(constant(1), c.beta1), g))
          const s = add(mul(constant(0.5), s0), mul(constant(0.5), square(sub(g, m))))
          return { step: div(mul(c.learningRate, m), add(sqrt(s), c.epsilon)), m, s }
        },
      })
      const run = createOptimizer(backend, own)
      await takeSteps(run, 1, 10)
      const { bias } = await run.parameters()
      for (const i of [0, 1, 2]) {
        let [theta, m, s] = [parameters.bias.values[i], 0, 0]
        for (let t = 1; t <= 10; t++) {
          const g = gradientsAt(t).bias[i]
          m = 0.9 * m + 0.1 * g
          s = 0.5 * s + 0.5 * (g - m) ** 2
          theta -= (0.1 * m) / (Math.sqrt(s) + 1e-8)
        }
        expectNear(bias[i], theta)
      }
    },
  },
]
