import { allRules, type StateDict, type UpdateRule } from '@diffgrad/core'
import { expect } from 'vitest'
import type { BackendUnderTest, Law, TestRun, UntypedOptions } from './backend-under-test.ts'
import { createOptimizer, gradientsAt, parameters, takeSteps } from './test-problem.ts'

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

/** Writes a state as JSON and reads it; a typed array becomes its kind and a list of numbers. */
function throughJson(state: StateDict): StateDict {
  const text = JSON.stringify(state, (_, value) =>
    ArrayBuffer.isView(value)
      ? { kind: value.constructor.name, elements: Array.from(value as Float64Array) }
      : value,
  )
  return JSON.parse(text, (_, value) => {
    if (value?.kind === 'Float32Array') return Float32Array.from(value.elements)
    if (value?.kind === 'Float64Array') return Float64Array.from(value.elements)
    return value
  })
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
        for (const dtype of backend.dtypes) {
          for (const stop of [1, 7, 8]) {
            const uninterrupted = createOptimizer(backend, rule, allTransforms, { dtype })
            await takeIrregularSteps(uninterrupted, 1, stop)
            const run = await resume(backend, rule, allTransforms, dtype, uninterrupted)
            await takeIrregularSteps(uninterrupted, stop + 1, 20)
            await takeIrregularSteps(run, stop + 1, 20)
            expect(await run.parameters()).toEqual(await uninterrupted.parameters())
            run.optimizer.swapEma()
            uninterrupted.optimizer.swapEma()
            const averaged = await resume(backend, rule, allTransforms, dtype, uninterrupted)
            expect(await averaged.parameters()).toEqual(await uninterrupted.parameters())
            averaged.optimizer.swapEma()
            uninterrupted.optimizer.swapEma()
            expect(await averaged.parameters()).toEqual(await uninterrupted.parameters())
            expect(await averaged.optimizer.stateDict()).toEqual(
              await uninterrupted.optimizer.stateDict(),
            )
          }
        }
      }
    },
  },
  {
    name: 'loading a state restores the settings that were saved with it',
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
    name: 'skipNotFinite leaves parameters and state unchanged on a NaN or infinite gradient',
    async check(backend) {
      for (const rule of allRules) {
        for (const nonFinite of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const run = createOptimizer(backend, rule, { ...allTransforms, skipNotFinite: true })
          if (backend.unsupported?.includes('skipNotFinite')) {
            await expect(takeSteps(run, 1, 1)).rejects.toThrow('skipNotFinite')
            const { bias, weights } = await run.parameters()
            expect([bias, weights]).toEqual([parameters.bias.values, parameters.weights.values])
            continue
          }
          await takeSteps(run, 1, 7)
          const before = [await run.parameters(), await run.optimizer.stateDict()]
          const { bias, weights } = gradientsAt(8)
          const withNonFinite = (values: ArrayLike<number>): number[] =>
            Array.from(values, (g, i) => (i === 2 ? nonFinite : g))
          expect(await run.step({ bias, weights: withNonFinite(weights) })).toBe('skipped')
          expect(await run.step({ bias: withNonFinite(bias), weights })).toBe('skipped')
          expect([await run.parameters(), await run.optimizer.stateDict()]).toEqual(before)
        }
      }
    },
  },
]
