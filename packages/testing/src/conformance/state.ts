import {
  adam,
  allRules,
  type LoadReport,
  type StateDict,
  sgd,
  type UpdateRule,
} from '@diffgrad/core'
import { expect } from 'vitest'
import type { BackendUnderTest, Law, TestRun, UntypedOptions } from './backend-under-test.ts'
import {
  createOptimizer,
  expectNear,
  gradientsAt,
  parameters,
  supportedTransforms,
  takeSteps,
  throughJson,
} from './test-problem.ts'

/** Options that together use every kind of saved state. */
const allTransforms: UntypedOptions = {
  learningRate: { kind: 'cosine', from: 0.1, to: 0.01, steps: 20 },
  weightDecay: {
    kind: 'plateau',
    from: 0.5,
    factor: 0.5,
    patience: 0,
    threshold: 0,
    minimum: 0,
  },
  accumulate: 2,
  lookahead: { every: 3, alpha: 0.5 },
  ema: { decay: 0.9 },
  centralize: true,
  clip: { by: 'globalNorm', limit: 2 },
  groups: [{ parameters: ['bias'], weightDecay: 0 }],
}

/** Creates an optimizer with the parameters and the state of another. */
async function resume(
  backend: BackendUnderTest,
  rule: UpdateRule,
  options: UntypedOptions,
  dtype: 'float32' | 'float64',
  from: TestRun,
): Promise<TestRun> {
  const current = Object.entries(await from.parameters())
  const run = createOptimizer(backend, rule, options, {
    dtype,
    parameters: Object.fromEntries(
      current.map(([name, values]) => [name, { values, shape: parameters[name].shape }]),
    ),
  })
  run.optimizer.loadStateDict(throughJson(await from.optimizer.stateDict()))
  return run
}

/** Takes steps of which some lack the gradient of one parameter, and reports a rising loss. */
async function takeIrregularSteps(run: TestRun, first: number, last: number): Promise<void> {
  for (let t = first; t <= last; t++) {
    const { bias, weights } = gradientsAt(t)
    await run.step(t % 5 < 2 ? { weights } : { bias, weights })
    if (t % 4 === 0) run.optimizer.report(t)
  }
}

/** Saving and restoring the optimizer state. */
export const stateLaws: readonly Law[] = [
  {
    name: 'a run resumed from a saved state equals an uninterrupted run bit for bit',
    async check(backend) {
      for (const rule of allRules) {
        const options = supportedTransforms(rule, allTransforms)
        for (const dtype of backend.dtypes) {
          const uninterrupted = createOptimizer(backend, rule, options, { dtype })
          const resumed: TestRun[] = []
          let last = 0
          // Of every kind of saved state some is between two updates, and all change until step 14.
          for (const stop of [1, 7, 8]) {
            await takeIrregularSteps(uninterrupted, last + 1, stop)
            const run = await resume(backend, rule, options, dtype, uninterrupted)
            await takeIrregularSteps(run, stop + 1, 14)
            resumed.push(run)
            last = stop
          }
          await takeIrregularSteps(uninterrupted, last + 1, 14)
          const expected = await uninterrupted.parameters()
          const state = await uninterrupted.optimizer.stateDict()
          for (const run of resumed) {
            expect(await run.parameters()).toEqual(expected)
            expect(await run.optimizer.stateDict()).toEqual(state)
          }
          uninterrupted.optimizer.swapAverage()
          const averages = await uninterrupted.parameters()
          for (const run of resumed) {
            run.optimizer.swapAverage()
            expect(await run.parameters()).toEqual(averages)
          }
          const averaged = await resume(backend, rule, options, dtype, uninterrupted)
          expect(await averaged.parameters()).toEqual(averages)
          averaged.optimizer.swapAverage()
          uninterrupted.optimizer.swapAverage()
          expect(await averaged.parameters()).toEqual(await uninterrupted.parameters())
          expect(await averaged.optimizer.stateDict()).toEqual(
            await uninterrupted.optimizer.stateDict(),
          )
        }
      }
    },
  },
  {
    name: 'loading a state restores the options that were saved with it',
    async check(backend) {
      for (const rule of allRules) {
        const original = createOptimizer(backend, rule, { learningRate: 0.3, weightDecay: 0.02 })
        await takeSteps(original, 1, 3)
        const other = { learningRate: 0.001, weightDecay: 0.5 }
        const run = await resume(backend, rule, other, backend.dtypes[0], original)
        await takeSteps(original, 4, 8)
        await takeSteps(run, 4, 8)
        expect(await run.parameters()).toEqual(await original.parameters())
      }
    },
  },
  {
    name: 'a state of other transforms is refused by name, or loaded with the transforms of the optimizer or of the state',
    async check(backend) {
      const clip = { by: 'value', limit: 0.25 } as const
      const saved = createOptimizer(backend, sgd, { learningRate: 1, clip, ema: { decay: 0.5 } })
      await takeSteps(saved, 1, 2)
      const state = throughJson(await saved.optimizer.stateDict())
      const create = (options: UntypedOptions): TestRun =>
        createOptimizer(backend, sgd, { learningRate: 1, ...options })
      const step = async (run: TestRun): Promise<readonly number[]> => {
        await run.step({ bias: [1, 0, 0] })
        const moved = parameters.bias.values[0] - (await run.parameters()).bias[0]
        return [moved]
      }
      for (const [options, message] of [
        [{ ema: { decay: 0.5 } }, /the state has clip .* but the optimizer has false/],
        [{ clip }, /the state has ema .* but the optimizer has false/],
        [{ clip, ema: { decay: 0.9 } }, /the state has ema .*0\.5.* but the optimizer has .*0\.9/],
        [{ clip, ema: { decay: 0.5 }, accumulate: 2 }, /the state has accumulate 1, but .* has 2/],
        [{ clip, ema: { decay: 0.5 }, centralize: true }, /the state has centralize false/],
      ] as const) {
        const run = create(options)
        const before = await run.optimizer.stateDict()
        expect(() => run.optimizer.loadStateDict(state)).toThrow(message)
        expect(await run.optimizer.stateDict()).toEqual(before)
      }
      const kept = create({ lookahead: { every: 2, alpha: 0.5 } })
      kept.optimizer.loadStateDict(state, { transforms: 'keep' })
      expectNear(await step(kept), [1]) // Step 3 is no multiple of 2, and step 4 goes half way back to 0.
      expectNear(await step(kept), [1])
      const loaded = create({})
      loaded.optimizer.loadStateDict(state, { transforms: 'load' })
      expectNear(await step(loaded), [0.25])
      loaded.optimizer.swapAverage()
      const averages = await loaded.parameters()
      await saved.setParameters(
        Object.fromEntries(Object.entries(parameters).map(([n, p]) => [n, p.values])),
      )
      await saved.step({ bias: [1, 0, 0] })
      saved.optimizer.swapAverage()
      expect(averages).toEqual(await saved.parameters())
    },
  },
  {
    name: 'without strict, loadStateDict loads the parameters that fit and returns the others',
    async check(backend) {
      const saved = createOptimizer(backend, adam, { learningRate: 0.5 })
      await takeSteps(saved, 1, 3)
      const { parameters: states, ...position } = throughJson(await saved.optimizer.stateDict())
      const { weights, bias } = states
      const { m, v } = bias.state
      const short = { ...bias, state: { m: m.slice(1), v } }
      const run = createOptimizer(backend, adam, { learningRate: 0.125 })
      const before = await run.optimizer.stateDict()
      for (const other of [{ weights }, { weights, bias: short }]) {
        expect(() => run.optimizer.loadStateDict({ ...position, parameters: other })).toThrow(
          /bias/,
        )
        expect(await run.optimizer.stateDict()).toEqual(before)
      }
      const load = (other: StateDict['parameters']): LoadReport =>
        run.optimizer.loadStateDict({ ...position, parameters: other }, { strict: false })
      expect(load({ weights })).toMatchObject({ missing: [expect.stringMatching(/^bias/)] })
      const { mismatched } = load({ weights, bias: short })
      expect(mismatched).toHaveLength(1)
      expect(mismatched[0].name).toMatch(/^bias/)
      expect(mismatched[0].reason).toMatch(/ as m of bias/)
      const after = await run.optimizer.stateDict()
      expect(after.parameters).toEqual({ bias: before.parameters.bias, weights })
      await run.setParameters({ weights: (await saved.parameters()).weights })
      await takeSteps(saved, 4, 6)
      await takeSteps(run, 4, 6)
      expect((await run.parameters()).weights).toEqual((await saved.parameters()).weights)
      const alone = createOptimizer(backend, adam, { learningRate: 0.125 })
      await takeSteps(alone, 4, 6)
      expect((await run.parameters()).bias).toEqual((await alone.parameters()).bias)
    },
  },
  {
    name: 'skipNotFinite leaves parameters and state unchanged on a NaN or infinite gradient',
    async check(backend) {
      for (const rule of allRules) {
        const run = createOptimizer(backend, rule, {
          ...supportedTransforms(rule, allTransforms),
          skipNotFinite: true,
        })
        if (backend.unsupported?.includes('skipNotFinite')) {
          await expect(takeSteps(run, 1, 1)).rejects.toThrow('skipNotFinite')
          const { bias, weights } = await run.parameters()
          expect([bias, weights]).toEqual([parameters.bias.values, parameters.weights.values])
          continue
        }
        await takeSteps(run, 1, 7)
        const before = [await run.parameters(), await run.optimizer.stateDict()]
        const { bias, weights } = gradientsAt(8)
        for (const [i, nonFinite] of [Number.NaN, Number.POSITIVE_INFINITY].entries()) {
          const withNonFinite = (values: ArrayLike<number>): number[] =>
            Array.from(values, (g, i) => (i === 2 ? nonFinite : g))
          expect(await run.step({ bias, weights: withNonFinite(weights) })).toBe('skipped')
          expect(await run.step({ bias: withNonFinite(bias), weights })).toBe('skipped')
          const skipped = { total: 2 * (i + 1), consecutive: 2 * (i + 1) }
          expect([await run.parameters(), await run.optimizer.stateDict()]).toEqual([
            before[0],
            { ...before[1], skipped },
          ])
        }
      }
    },
  },
  {
    name: 'after as many skipped steps in a row as the limit, the next one throws, also from a saved state',
    async check(backend) {
      if (backend.unsupported?.includes('skipNotFinite')) return
      const options = { learningRate: 0.5, skipNotFinite: { limit: 2 } }
      const run = createOptimizer(backend, sgd, options)
      const [finite, infinite] = [1, Number.POSITIVE_INFINITY].map((g) => ({ bias: [1, g, 1] }))
      for (const gradients of [infinite, finite, infinite]) await run.step(gradients)
      const resumed = await resume(backend, sgd, options, backend.dtypes[0], run)
      for (const one of [run, resumed]) {
        expect(await one.step(infinite)).toBe('skipped')
        await expect(async () => one.step(infinite)).rejects.toThrow(
          /^SGD: skipped steps in a row must be at most 2, .* but the gradients of .*bias.* are not finite again$/,
        )
        expect(await one.step(finite)).toBe('updated')
        const { skipped } = await one.optimizer.stateDict()
        expect(skipped).toEqual({ total: 3, consecutive: 0 })
        expect(await one.step(infinite)).toBe('skipped')
        expectNear((await one.parameters()).bias[0], parameters.bias.values[0] - 2 * 0.5)
      }
    },
  },
]
