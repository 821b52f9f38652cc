import {
  adaBelief,
  adan,
  adEMAMix,
  adopt,
  angularGrad,
  defineRule,
  diffGradNorm,
  lamb,
  linear,
  lion,
  nadam,
  piecewise,
  scheduleFreeAdamW,
  scheduleFreeSgd,
} from '@diffgrad/core'
import { expect } from 'vitest'
import { expectClose } from '../tolerance.ts'
import type { Law } from './backend-under-test.ts'
import {
  createOptimizer,
  expectNear,
  gradientsAt,
  parameters,
  takeSteps,
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
  {
    name: 'Lion steps by α in every element whatever the size of its gradient, before m changes',
    async check(backend) {
      const options = { learningRate: 0.125, beta1: 0.5, beta2: 0.75 }
      const run = createOptimizer(backend, lion, options)
      const theta = [...parameters.bias.values]
      const m = theta.map(() => 0)
      for (const g of [
        [1e-12, -1e6, 0],
        [-2e-12, 1e6, 0],
        [1e-13, -2e5, -3],
      ]) {
        await run.step({ bias: g })
        for (const i of theta.keys()) {
          theta[i] -= 0.125 * Math.sign(0.5 * m[i] + 0.5 * g[i])
          m[i] = 0.75 * m[i] + 0.25 * g[i]
        }
      }
      expectNear((await run.parameters()).bias, theta)
      // A NaN stays one.
      await run.step({ bias: [Number.NaN, 1, 1] })
      expect((await run.parameters()).bias[0]).toBeNaN()
    },
  },
  {
    name: 'AdaBelief compares g with the new m, and adds ε to s at every step',
    async check(backend) {
      const [learningRate, beta1, beta2, epsilon] = [0.1, 0.75, 0.5, 0.01]
      const run = createOptimizer(backend, adaBelief, { learningRate, beta1, beta2, epsilon })
      const theta = [...parameters.bias.values]
      const [m, s] = [theta.map(() => 0), theta.map(() => 0)]
      for (let t = 1; t <= 5; t++) {
        const g = [1, -0.5 * t, 0]
        await run.step({ bias: g })
        for (const i of theta.keys()) {
          m[i] = beta1 * m[i] + (1 - beta1) * g[i]
          s[i] = beta2 * s[i] + (1 - beta2) * (g[i] - m[i]) ** 2 + epsilon
          const denominator = Math.sqrt(s[i] / (1 - beta2 ** t)) + epsilon
          theta[i] -= (learningRate * m[i]) / (1 - beta1 ** t) / denominator
        }
      }
      expectNear((await run.parameters()).bias, theta)
    },
  },
  {
    name: 'Adan sees no change at its first step, weighs the average change by β₂, and divides θ by 1 + αλ after the step',
    async check(backend) {
      const [learningRate, weightDecay, beta1, beta2, beta3] = [0.125, 0.5, 0.75, 0.25, 0.5]
      const options = { learningRate, weightDecay, beta1, beta2, beta3, epsilon: 0.01 }
      const run = createOptimizer(backend, adan, options)
      const theta = [...parameters.bias.values]
      const [m, d, n] = [theta.map(() => 0), theta.map(() => 0), theta.map(() => 0)]
      let previous = [1, -0.5, 0]
      for (let t = 1; t <= 5; t++) {
        const g = [t, -0.5 / t, 0]
        await run.step({ bias: g })
        const [c1, c2, c3] = [beta1, beta2, beta3].map((beta) => 1 - beta ** t)
        for (const i of theta.keys()) {
          const change = g[i] - previous[i]
          m[i] = beta1 * m[i] + (1 - beta1) * g[i]
          d[i] = beta2 * d[i] + (1 - beta2) * change
          n[i] = beta3 * n[i] + (1 - beta3) * (g[i] + beta2 * change) ** 2
          const step = (m[i] / c1 + (beta2 * d[i]) / c2) / (Math.sqrt(n[i] / c3) + 0.01)
          theta[i] = (theta[i] - learningRate * step) / (1 + learningRate * weightDecay)
        }
        previous = g
      }
      expectNear((await run.parameters()).bias, theta)
    },
  },
  {
    name: 'AdEMAMix raises β₃ by half-lives and its weight in a straight line, and corrects the biases of m and v alone',
    async check(backend) {
      const [learningRate, beta1, beta2, beta3, mix] = [0.1, 0.5, 0.75, 0.96875, 3]
      const options = { learningRate, beta1, beta2, beta3, mix, mixWarmup: 4, epsilon: 0.01 }
      const run = createOptimizer(backend, adEMAMix, options)
      const theta = [...parameters.bias.values]
      const [m, slow, v] = [theta.map(() => 0), theta.map(() => 0), theta.map(() => 0)]
      for (let t = 1; t <= 6; t++) {
        const g = [t, -0.5 / t, 0]
        await run.step({ bias: g })
        const share = Math.min(t / 4, 1)
        // The half-life of β₁ = ½ is one step.
        const halfLife = 1 - share + (share * Math.log(0.5)) / Math.log(beta3)
        const beta = 0.5 ** (1 / halfLife)
        for (const i of theta.keys()) {
          m[i] = beta1 * m[i] + (1 - beta1) * g[i]
          slow[i] = beta * slow[i] + (1 - beta) * g[i]
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
          const direction = m[i] / (1 - beta1 ** t) + share * mix * slow[i]
          theta[i] -= (learningRate * direction) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + 0.01)
        }
      }
      expectNear((await run.parameters()).bias, theta)
    },
  },
  {
    name: 'ADOPT divides by the v before a step, clips to (t − 1)^¼, and moves nothing at its first step',
    async check(backend) {
      const [learningRate, weightDecay, beta1, beta2, epsilon] = [0.1, 0.5, 0.75, 0.5, 0.125]
      const options = { learningRate, weightDecay, decay: 'decoupled', beta1, beta2, epsilon }
      const run = createOptimizer(backend, adopt, options)
      const theta = [...parameters.bias.values]
      const m = theta.map(() => 0)
      let v = [0, 0, 0]
      // The second gradient is clipped where the first was smaller, or 0; the third to 2^¼.
      for (const [k, g] of [
        [1, -0.5, 0],
        [0.5, -2, 3],
        [-4, 0.25, 1],
        [1, 1, -0.5],
      ].entries()) {
        await run.step({ bias: g })
        if (k === 0) expect((await run.parameters()).bias).toEqual(theta)
        for (const i of k === 0 ? [] : theta.keys()) {
          const normalized = g[i] / Math.max(Math.sqrt(v[i]), epsilon)
          const clipped = Math.max(-(k ** 0.25), Math.min(normalized, k ** 0.25))
          m[i] = beta1 * m[i] + (1 - beta1) * clipped
          theta[i] -= learningRate * weightDecay * theta[i] + learningRate * m[i]
        }
        v = v.map((average, i) => (k === 0 ? g[i] ** 2 : beta2 * average + (1 - beta2) * g[i] ** 2))
      }
      expectNear((await run.parameters()).bias, theta)
    },
  },
  {
    name: 'sums of a rule are over each parameter, accurate for 20,016 elements, and equal in every run',
    async check(backend) {
      const [long, short] = [
        [4096, ...new Array(20_015).fill(1e-4)],
        [0.5, -2],
      ]
      const run = async (): Promise<Readonly<Record<string, number[]>>> => {
        const { parameters, step } = backend.create(stepBySum, {
          dtype: backend.dtypes[0],
          parameters: {
            long: { values: long.map(() => 0), shape: [long.length] },
            short: { values: [0, 0], shape: [2] },
          },
        })
        await step({ long, short })
        return parameters()
      }
      const moved = await run()
      // Added one by one in single precision, the small elements would be lost.
      expectClose(moved.long[0], -(4096 + 20_015 * 1e-4), { relative: 2e-5 })
      expect(new Set(moved.long).size).toBe(1)
      expectNear(moved.short, [1.5, 1.5])
      expect(await run()).toEqual(moved)
    },
  },
  {
    name: 'diffGradNorm scales a gradient up to the average norm of its parameter, in m alone, and never divides by zero',
    async check(backend) {
      const [learningRate, beta1, beta2, epsilon, normDecay] = [0.1, 0.6, 0.7, 1e-6, 0.5]
      const run = createOptimizer(backend, diffGradNorm, {
        ...{ learningRate, beta1, beta2, epsilon, normDecay },
      })
      const theta = [...parameters.bias.values]
      const [m, v, p] = [theta.map(() => 0), theta.map(() => 0), theta.map(() => 0)]
      let average = 0
      for (const [k, size] of [1, 0.25, 0.0625, 0, 2, 1].entries()) {
        const g = [3 * size, -size, 0.5 * size]
        await run.step({ bias: g })
        const norm = Math.hypot(...g)
        average = normDecay * average + (1 - normDecay) * norm
        const s = average > norm && norm > 0 ? g.map((x) => (x * average) / norm) : g
        const rate = (learningRate * Math.sqrt(1 - beta2 ** (k + 1))) / (1 - beta1 ** (k + 1))
        for (const i of theta.keys()) {
          m[i] = beta1 * m[i] + (1 - beta1) * s[i]
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
          const xi = 1 / (1 + Math.exp(-Math.abs(p[i] - g[i])))
          theta[i] -= (rate * xi * m[i]) / (Math.sqrt(v[i]) + epsilon)
          p[i] = g[i]
        }
      }
      expectNear((await run.parameters()).bias, theta)
    },
  },
  {
    name: 'LAMB gives the step of each parameter its own norm, with weight decay in the direction, and steps from zero',
    async check(backend) {
      const [learningRate, weightDecay, beta1, beta2] = [0.25, 0.5, 0.75, 0.5]
      const values: Record<string, number[]> = { w: [3, -4], zero: [0, 0, 0] }
      const run = createOptimizer(
        backend,
        lamb,
        { learningRate, weightDecay, beta1, beta2, epsilon: 0.01 },
        {
          parameters: {
            w: { values: values.w, shape: [2] },
            zero: { values: values.zero, shape: [3] },
          },
        },
      )
      const zeros = (): Record<string, number[]> => ({ w: [0, 0], zero: [0, 0, 0] })
      const [m, v] = [zeros(), zeros()]
      for (let t = 1; t <= 3; t++) {
        const gradients: Record<string, number[]> = { w: [t, -1], zero: [1, -2, 0] }
        await run.step(gradients)
        for (const [name, theta] of Object.entries(values)) {
          const u = theta.map((x, i) => {
            const g = gradients[name][i]
            m[name][i] = beta1 * m[name][i] + (1 - beta1) * g
            v[name][i] = beta2 * v[name][i] + (1 - beta2) * g ** 2
            const [mHat, vHat] = [m[name][i] / (1 - beta1 ** t), v[name][i] / (1 - beta2 ** t)]
            return mHat / (Math.sqrt(vHat) + 0.01) + weightDecay * x
          })
          const norm = Math.hypot(...theta)
          const ratio = norm > 0 ? norm / Math.hypot(...u) : 1
          for (const [i, x] of u.entries()) theta[i] -= learningRate * ratio * x
        }
      }
      const moved = await run.parameters()
      for (const [name, theta] of Object.entries(values)) expectNear(moved[name], theta)
    },
  },
  {
    name: 'AngularGrad compares the angle of two gradients with the previous angle alone, also where it is 90°',
    async check(backend) {
      const [learningRate, beta1, beta2, epsilon] = [0.1, 0.75, 0.5, 0.01]
      for (const angle of ['cos', 'tan'] as const) {
        const run = createOptimizer(backend, angularGrad, {
          ...{ learningRate, beta1, beta2, epsilon, angle },
        })
        const theta = [...parameters.bias.values]
        const [m, v, p, previous] = [[], [], [], []].map(() => theta.map(() => 0))
        // The angles rise, fall and rise; those of the first element include 90°, from 1 to −1.
        for (const [k, g] of [
          [1, 0.1, 3],
          [-1, 0.1, -0.2],
          [2, 4, -0.25],
          [-0.5, 0, 5],
        ].entries()) {
          await run.step({ bias: g })
          const rate = (learningRate * Math.sqrt(1 - beta2 ** (k + 1))) / (1 - beta1 ** (k + 1))
          for (const i of theta.keys()) {
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
            const between = Math.atan2(Math.abs(p[i] - g[i]), Math.abs(1 + p[i] * g[i]))
            const phi = 0.5 * Math.tanh(Math[angle](Math.min(between, previous[i]))) + 0.5
            theta[i] -= (rate * phi * m[i]) / (Math.sqrt(v[i]) + epsilon)
            p[i] = g[i]
            previous[i] = between
          }
        }
        expectNear((await run.parameters()).bias, theta)
      }
    },
  },
  {
    name: 'with a constant α, Schedule-Free SGD evaluates the mean of all z, and its parameters lie between z and the mean',
    async check(backend) {
      for (const beta1 of [1, 0.9, 0.25]) {
        const run = createOptimizer(backend, scheduleFreeSgd, { learningRate: 0.5, beta1 })
        const z = [...parameters.bias.values]
        const sum = z.map(() => 0)
        for (let t = 1; t <= 7; t++) {
          const g = gradientsAt(t).bias
          await run.step({ bias: g })
          for (const i of z.keys()) {
            z[i] -= 0.5 * g[i]
            sum[i] += z[i]
          }
          const mean = sum.map((total) => total / t)
          const y = (await run.parameters()).bias
          expectNear(
            y,
            z.map((zi, i) => (1 - beta1) * zi + beta1 * mean[i]),
          )
          run.optimizer.swapAverage()
          expectNear((await run.parameters()).bias, mean)
          run.optimizer.swapAverage()
          expect((await run.parameters()).bias).toEqual(y)
          // The first mean is z itself, and with β = 1 gradients are those of the mean: primal averaging.
          if (t === 1) expectNear(y, z)
        }
      }
    },
  },
  {
    name: 'Schedule-Free starts z at the weights of the first step of each parameter, and averages by the squares of γ',
    async check(backend) {
      const [beta1, beta2, epsilon, weightDecay] = [0.75, 0.5, 1e-3, 0.5]
      const rates = [0, 0.125, 0.5, 0.25]
      const learningRate = piecewise(rates.map((rate, step) => [step, rate]))
      const options = { learningRate, beta1, beta2, epsilon, weightDecay }
      const run = createOptimizer(backend, scheduleFreeAdamW, options)
      await run.setParameters({ bias: [8, 0, -4] })
      const [x, z, v, y] = [
        [8, 0, -4],
        [8, 0, -4],
        [0, 0, 0],
        [8, 0, -4],
      ]
      let [sum, largest] = [0, 0]
      for (const [k, rate] of rates.entries()) {
        const g = [1, -2, 0.5 * k]
        const before = (await run.parameters()).bias
        const { effectiveStep } = await run.inspect({ bias: g })
        await run.step({ bias: g })
        const gamma = rate * Math.sqrt(1 - beta2 ** (k + 1))
        largest = Math.max(largest, gamma)
        sum += largest ** 2
        const c = sum > 0 ? largest ** 2 / sum : 0
        const undecayed = [...y]
        for (const i of x.keys()) {
          v[i] = beta2 * v[i] + (1 - beta2) * g[i] ** 2
          const d = g[i] / (Math.sqrt(v[i]) + epsilon)
          const free = z[i] - gamma * d
          undecayed[i] = (1 - beta1) * free + beta1 * ((1 - c) * x[i] + c * free)
          z[i] = free - gamma * weightDecay * y[i]
          x[i] = (1 - c) * x[i] + c * z[i]
          y[i] = (1 - beta1) * z[i] + beta1 * x[i]
        }
        const { bias } = await run.parameters()
        expectNear(bias, y)
        expectNear(
          effectiveStep.bias,
          undecayed.map((yi, i) => before[i] - yi),
        )
      }
      run.optimizer.swapAverage()
      const average = await run.parameters()
      expectNear(average.bias, x)
      // Without a step, a parameter is its own average.
      expectNear(average.weights, parameters.weights.values)
    },
  },
  {
    name: 'the training weights of Schedule-Free return bit for bit from the evaluation point, also by a saved state',
    async check(backend) {
      const options = { learningRate: 0.05, beta1: 0.9 }
      for (const dtype of backend.dtypes) {
        const run = createOptimizer(backend, scheduleFreeAdamW, options, { dtype })
        for (let t = 1; t <= 5; t++) {
          const { bias, weights } = gradientsAt(t)
          await run.step(t === 2 ? { weights } : { bias, weights })
        }
        const [trained, state] = [await run.parameters(), await run.optimizer.stateDict()]
        run.optimizer.swapAverage()
        const average = await run.parameters()
        expect(average).not.toEqual(trained)
        await expect(async () => run.step(gradientsAt(6))).rejects.toThrow('swapped')
        const swapped = throughJson(await run.optimizer.stateDict())
        const other = createOptimizer(backend, scheduleFreeAdamW, options, { dtype })
        other.optimizer.loadStateDict(swapped)
        await other.setParameters(average)
        for (const one of [run, other]) {
          one.optimizer.swapAverage()
          expect(await one.parameters()).toEqual(trained)
          expect(await one.optimizer.stateDict()).toEqual(state)
        }
        // A state with its training weights in their place replaces one without, and the reverse.
        other.optimizer.swapAverage()
        other.optimizer.loadStateDict(throughJson(state))
        await other.setParameters(trained)
        await takeSteps(other, 6, 8)
        await takeSteps(run, 6, 8)
        expect(await other.parameters()).toEqual(await run.parameters())
      }
    },
  },
]

/** θ ← θ − Σg, of the parameter. */
const stepBySum = defineRule({
  name: 'stepBySum',
  defaults: { learningRate: 1, weightDecay: 0, decay: 'l2' },
  stateNames: () => [],
  coefficients: ({ learningRate }) => ({ alpha: learningRate }),
  sums: {
    names: ['total'],
    evaluate: (_, { g }) => ({ total: g }),
    dependents: ['move'],
    coefficients: ({ mul }, { total }, { alpha }) => ({ move: mul(alpha, total) }),
  },
  update: ({ add, sub }, { g }, { move }) => ({ step: add(move, sub(g, g)) }),
})

/** Whether a parameter has no gradient at an update, counted from 0. */
const isMissing = (name: string, update: number): boolean => update === (name === 'bias' ? 1 : 4)
