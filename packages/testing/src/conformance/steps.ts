import {
  adam,
  adamW,
  allRules,
  diffGrad,
  linear,
  plateau,
  type Schedule,
  sgd,
  startAt,
  type UpdateRule,
} from '@diffgrad/core'
import { expect } from 'vitest'
import { expectClose } from '../tolerance.ts'
import type { Law, UntypedOptions } from './backend-under-test.ts'
import {
  afterTenSteps,
  createOptimizer,
  expectNear,
  gradientsAt,
  parameters,
  supportedOptions,
  supportedTransforms,
  takeSteps,
  throughJson,
} from './test-problem.ts'

/** The size of one step, and how options, groups and schedules change it. */
export const stepLaws: readonly Law[] = [
  {
    name: 'the first step is α·ξ(g)·g√(1−β₂)/(√(1−β₂)|g| + ε), for gradients from 1e-12 to 1e6',
    async check(backend) {
      const [learningRate, beta2, epsilon] = [0.5, 0.999, 1e-8]
      for (const g of [1e-12, -1e-6, 0.03, -1, 250, 1e6]) {
        const run = backend.create(diffGrad, {
          dtype: backend.dtypes[0],
          parameters: { x: { values: [0], shape: [1] } },
          options: { learningRate, beta2, epsilon },
        })
        await run.step({ x: [g] })
        const xi = 1 / (1 + Math.exp(-Math.abs(g)))
        const root = Math.sqrt(1 - beta2)
        const expected = (-learningRate * xi * g * root) / (root * Math.abs(g) + epsilon)
        const [x] = (await run.parameters()).x
        expectClose(x, expected, { relative: 1e-5 })
      }
    },
  },
  {
    name: 'every rule takes finite, non-zero steps for huge and tiny gradients',
    async check(backend) {
      for (const rule of allRules) {
        for (const scale of [1e6, 1e-12]) {
          const zero = { values: [0, 0, 0], shape: [3] }
          const run = createOptimizer(backend, rule, supportedOptions(rule, { epsilon: 1e-16 }), {
            parameters: { bias: zero },
          })
          // An odd number, because steps of one size and either sign may add up to zero.
          for (let t = 1; t <= 21; t++) await run.step({ bias: gradientsAt(t, scale).bias })
          const { bias } = await run.parameters()
          expect(bias.every((x) => Number.isFinite(x) && x !== 0)).toBe(true)
        }
      }
    },
  },
  {
    name: 'zero gradients change no parameter',
    async check(backend) {
      for (const rule of allRules) {
        const run = createOptimizer(backend, rule, { learningRate: 0.1, weightDecay: 0 })
        await takeSteps(run, 1, 20, 0)
        const { bias, weights } = await run.parameters()
        expect({ bias, weights }).toEqual({
          bias: parameters.bias.values,
          weights: parameters.weights.values,
        })
      }
    },
  },
  {
    name: 'with zero gradients decoupled decay scales by 1−αλ, and L2 decay makes Adam step by about α',
    async check(backend) {
      const [learningRate, weightDecay] = [0.125, 0.5]
      const decayed = async (rule: UpdateRule, decay?: string): Promise<number> => {
        const run = createOptimizer(backend, rule, {
          learningRate,
          weightDecay,
          ...(decay && { decay }),
        })
        await takeSteps(run, 1, 1, 0)
        return (await run.parameters()).bias[2]
      }
      const [shrunk, stepped] = [2 * (1 - learningRate * weightDecay), 2 - learningRate]
      expectNear(await decayed(adam), stepped)
      expectNear(await decayed(adamW), shrunk)
      expectNear(await decayed(adamW, 'l2'), stepped)
      const friction = 1 / (1 + Math.exp(-2 * weightDecay))
      expectNear(await decayed(diffGrad), 2 - learningRate * friction)
      expectNear(await decayed(diffGrad, 'decoupled'), shrunk)
    },
  },
  {
    name: 'the order of the parameters does not matter',
    async check(backend) {
      for (const rule of allRules) {
        const options = { learningRate: 0.1, clip: { by: 'value', limit: 1 } }
        const reversed = Object.fromEntries(Object.entries(parameters).reverse())
        const inOrder = await afterTenSteps(backend, rule, options)
        const inReverse = await afterTenSteps(backend, rule, options, { parameters: reversed })
        expect(inReverse).toEqual(inOrder)
      }
    },
  },
  {
    name: 'a parameter without a gradient keeps its value, its optimizer state and its step counter',
    async check(backend) {
      for (const rule of allRules) {
        const options = supportedTransforms(rule, {
          learningRate: 0.1,
          lookahead: { every: 3, alpha: 0.5 },
        })
        const together = createOptimizer(backend, rule, options)
        const alone = createOptimizer(backend, rule, options, {
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
    name: 'a parameter of a group moves as it would alone with the options of the group',
    async check(backend) {
      for (const rule of allRules) {
        const defaults = { learningRate: 0.1, weightDecay: 0.01 }
        const own = { learningRate: 0.02, weightDecay: 0 }
        const grouped = await afterTenSteps(backend, rule, {
          ...defaults,
          groups: [{ parameters: /bias/, ...own }],
        })
        expect(grouped.weights).toEqual((await afterTenSteps(backend, rule, defaults)).weights)
        expect(grouped.bias).toEqual((await afterTenSteps(backend, rule, own)).bias)
      }
    },
  },
  {
    name: 'a parameter of a group with another rule moves as it would alone under that rule, also from a saved state',
    async check(backend) {
      // Without state; with intermediates; with scalar state; with phases; with sums.
      const names = ['SGD', 'diffGrad', 'NAdam', 'RAdam', 'diffGradNorm']
      for (const rule of allRules.filter(({ name }) => names.includes(name))) {
        const common = rule === diffGrad ? adam : diffGrad
        const defaults = { learningRate: 0.1, weightDecay: 0.01, beta1: 0.5, ...rule.transforms }
        const own = { learningRate: 0.02, weightDecay: 0 }
        const options = { ...defaults, groups: [{ parameters: /bias/, rule, ...own }] }
        const alone = async (
          rule: UpdateRule,
          options: UntypedOptions,
        ): Promise<Readonly<Record<string, number[]>>> => {
          const run = createOptimizer(backend, rule, options)
          await takeSteps(run, 1, 4)
          return run.parameters()
        }
        const first = createOptimizer(backend, common, options)
        await takeSteps(first, 1, 2)
        const values = Object.entries(await first.parameters())
        const grouped = createOptimizer(backend, common, options, {
          parameters: Object.fromEntries(
            values.map(([name, values]) => [name, { values, shape: parameters[name].shape }]),
          ),
        })
        grouped.optimizer.loadStateDict(throughJson(await first.optimizer.stateDict()))
        await takeSteps(grouped, 3, 4)
        const { bias, weights } = await grouped.parameters()
        expect(weights).toEqual((await alone(common, defaults)).weights)
        expect(bias).toEqual((await alone(rule, own)).bias)
        const { effectiveStep, ...intermediates } = await grouped.inspect(gradientsAt(5))
        expect(Object.keys(effectiveStep)).toEqual(expect.arrayContaining(['bias', 'weights']))
        for (const name of rule.intermediates ?? [])
          expect(intermediates[name]).toHaveProperty('bias')
      }
    },
  },
  {
    name: 'the learning rate follows its schedule, and reported losses lower a plateau schedule, except in its cooldown',
    async check(backend) {
      const linear = { kind: 'linear', from: 0.25, to: 0, steps: 2 }
      const linearRun = createOptimizer(backend, sgd, { learningRate: linear })
      for (let t = 0; t < 4; t++) await linearRun.step({ bias: [1, 1, 1] })
      expectNear((await linearRun.parameters()).bias[0], 0.5 - 0.25 - 0.125)

      const plateau = {
        kind: 'plateau',
        from: 0.5,
        factor: 0.5,
        patience: 0,
        threshold: 0,
        minimum: 0,
      }
      const plateauRun = createOptimizer(backend, sgd, { learningRate: plateau })
      for (const loss of [3, 2, 2]) {
        await plateauRun.step({ bias: [1, 1, 1] })
        plateauRun.optimizer.report(loss)
      }
      await plateauRun.step({ bias: [1, 1, 1] })
      expectNear((await plateauRun.parameters()).bias[0], 0.5 - 3 * 0.5 - 0.25)

      const cooling = createOptimizer(backend, sgd, { learningRate: { ...plateau, cooldown: 1 } })
      for (let t = 0; t < 4; t++) {
        await cooling.step({ bias: [1, 1, 1] })
        cooling.optimizer.report(2)
      }
      expectNear((await cooling.parameters()).bias[0], 0.5 - 2 * 0.5 - 2 * 0.25)
    },
  },
  {
    name: 'a schedule that is set after some updates starts there, or where startAt says, also from a saved state',
    async check(backend) {
      const ramp = linear({ from: 0.5, steps: 2 })
      const moved = async (schedule: Schedule): Promise<number> => {
        const run = createOptimizer(backend, sgd, { learningRate: 0 })
        for (let t = 0; t < 3; t++) await run.step({ bias: [1, 0, 0] })
        run.optimizer.set({ learningRate: schedule })
        await run.step({ bias: [1, 0, 0] })
        const { bias, weights } = await run.parameters()
        const resumed = createOptimizer(
          backend,
          sgd,
          {},
          {
            parameters: {
              bias: { values: bias, shape: [3] },
              weights: { values: weights, shape: [3, 2] },
            },
          },
        )
        resumed.optimizer.loadStateDict(await run.optimizer.stateDict())
        for (let t = 0; t < 3; t++) await resumed.step({ bias: [1, 0, 0] })
        return parameters.bias.values[0] - (await resumed.parameters()).bias[0]
      }
      expectNear(await moved(ramp), 0.5 + 0.25)
      expectNear(await moved(startAt(3, ramp)), 0.5 + 0.25)
      expectNear(await moved(startAt(2, ramp)), 0.25)
      expectNear(await moved(startAt(0, ramp)), 0)
      expectNear(await moved(startAt(4, ramp)), 0.5 + 0.5 + 0.25)
    },
  },
  {
    name: 'a plateau schedule that is set later sees only the losses reported from then on',
    async check(backend) {
      const run = createOptimizer(backend, sgd, {
        learningRate: plateau({ from: 0.5, patience: 0 }),
      })
      for (let t = 0; t < 4; t++) {
        await run.step({ bias: [0, 0, 0] })
        run.optimizer.report(1)
      }
      run.optimizer.set({ learningRate: plateau({ from: 0.5, factor: 0.5, patience: 1 }) })
      for (const loss of [2, 2, 2]) {
        await run.step({ bias: [1, 0, 0] })
        run.optimizer.report(loss)
      }
      await run.step({ bias: [1, 0, 0] })
      expectNear((await run.parameters()).bias[0], 0.5 - 3 * 0.5 - 0.25)
    },
  },
  {
    name: 'momentum and weight decay follow their schedules',
    async check(backend) {
      const momentum = { kind: 'linear', from: 0, to: 0.5, steps: 1 }
      const momentumRun = createOptimizer(backend, sgd, { learningRate: 1, momentum })
      for (let t = 0; t < 3; t++) await momentumRun.step({ bias: [1, 0, 0] })
      // The velocity is 1, then 0.5·1 + 1, then 0.5·1.5 + 1.
      expectNear((await momentumRun.parameters()).bias[0], 0.5 - 1 - 1.5 - 1.75)

      const weightDecay = { kind: 'linear', from: 0.5, to: 0, steps: 1 }
      const decayRun = createOptimizer(backend, sgd, {
        learningRate: 0.5,
        weightDecay,
        decay: 'decoupled',
      })
      for (let t = 0; t < 3; t++) await decayRun.step({ bias: [0, 0, 0] })
      expectNear((await decayRun.parameters()).bias[2], 2 * (1 - 0.5 * 0.5))
    },
  },
  {
    name: "Nesterov's momentum steps by g + μm, with m = μm + g",
    async check(backend) {
      const run = createOptimizer(backend, sgd, { learningRate: 1, momentum: 0.5, nesterov: true })
      const expected = [0.5 - 1.5, 0.5 - 1.5 + 1.25, 0.5 - 1.5 + 1.25 - 4.375]
      for (const [t, g] of [1, -1, 3].entries()) {
        await run.step({ bias: [g, 0, 0] })
        expectNear((await run.parameters()).bias[0], expected[t])
      }
    },
  },
  {
    name: 'dampening is m = μm + (1−d)g, but m = g at the first step of each parameter',
    async check(backend) {
      const options = { learningRate: 1, momentum: 0.5, dampening: 0.25 }
      const run = createOptimizer(backend, sgd, options)
      // torch.optim.SGD 1.13: velocities 1, −0.25 and 2.125.
      const expected = [0.5 - 1, 0.5 - 1 + 0.25, 0.5 - 1 + 0.25 - 2.125]
      for (const [t, g] of [1, -1, 3].entries()) {
        await run.step({ bias: [g, 0, 0], ...(t > 0 && { weights: [g, 0, 0, 0, 0, 0] }) })
        expectNear((await run.parameters()).bias[0], expected[t])
      }
      // −1, then −0.5 + 0.75 · 3.
      expectNear((await run.parameters()).weights[0], 1 + 1 - 1.75)
    },
  },
  {
    name: 'in a long array, elements of equal value and gradient move equally',
    async check(backend) {
      const [length, period] = [1301, 7]
      for (const rule of allRules) {
        const start = Array.from({ length }, (_, i) => (i % period) - 3)
        const long = createOptimizer(
          backend,
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
