import { allRules, type StateDict, type UpdateRule } from '@diffgrad/core'
import { expect } from 'vitest'
import type { Law, LooseOptions, Session, Subject } from '../subject.ts'
import { begin, gradientsAt, parameters, walk } from './trials.ts'

/** Everything that has to be remembered, at once. */
const everything: LooseOptions = {
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

/** Through a file and back: JSON, with the typed arrays as lists of numbers beside their kind. */
function stored(state: StateDict): StateDict {
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

/** A new session that goes on where another stands. */
async function resumed(
  subject: Subject,
  rule: UpdateRule,
  options: LooseOptions,
  dtype: 'float32' | 'float64',
  from: Session,
): Promise<Session> {
  const now = Object.entries(await from.parameters())
  const shapes: Readonly<Record<string, readonly number[]>> = { bias: [3], weights: [3, 2] }
  const session = begin(subject, rule, options, {
    dtype,
    parameters: Object.fromEntries(
      now.map(([name, values]) => [name, { values, shape: shapes[name] }]),
    ),
  })
  session.optimizer.loadStateDict(stored(await from.optimizer.stateDict()))
  return session
}

/** Steps in which one parameter has no gradient now and then, with reports of a loss that rises. */
async function wander(session: Session, first: number, last: number): Promise<void> {
  for (let t = first; t <= last; t++) {
    const { bias, weights } = gradientsAt(t)
    await session.step(t % 5 < 2 ? { weights } : { bias, weights })
    if (t % 4 === 0) session.optimizer.report(t)
  }
}

/** Nothing is lost between one process and the next. */
export const state: readonly Law[] = [
  {
    name: 'save, load, continue equals never having stopped, bit for bit',
    async check(subject) {
      for (const rule of allRules) {
        for (const dtype of subject.dtypes) {
          for (const stop of [1, 7, 8]) {
            const uninterrupted = begin(subject, rule, everything, { dtype })
            await wander(uninterrupted, 1, stop)
            const session = await resumed(subject, rule, everything, dtype, uninterrupted)
            await wander(uninterrupted, stop + 1, 20)
            await wander(session, stop + 1, 20)
            expect(await session.parameters()).toEqual(await uninterrupted.parameters())
            session.optimizer.swapEma()
            uninterrupted.optimizer.swapEma()
            const evaluated = await resumed(subject, rule, everything, dtype, uninterrupted)
            expect(await evaluated.parameters()).toEqual(await uninterrupted.parameters())
            evaluated.optimizer.swapEma()
            uninterrupted.optimizer.swapEma()
            expect(await evaluated.parameters()).toEqual(await uninterrupted.parameters())
            expect(await evaluated.optimizer.stateDict()).toEqual(
              await uninterrupted.optimizer.stateDict(),
            )
          }
        }
      }
    },
  },
  {
    name: 'a state restores the settings it was saved with',
    async check(subject) {
      for (const rule of allRules) {
        const original = begin(subject, rule, { learningRate: 0.3, weightDecay: 0.02 })
        await walk(original, 1, 3)
        const other = { learningRate: 0.001, weightDecay: 0.5 }
        const session = await resumed(subject, rule, other, subject.dtypes[0], original)
        await walk(original, 4, 8)
        await walk(session, 4, 8)
        expect(await session.parameters()).toEqual(await original.parameters())
      }
    },
  },
  {
    name: 'a NaN or infinite gradient with skipNotFinite leaves everything untouched',
    async check(subject) {
      for (const rule of allRules) {
        for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
          const session = begin(subject, rule, { ...everything, skipNotFinite: true })
          if (subject.lacks?.includes('skipNotFinite')) {
            await expect(walk(session, 1, 1)).rejects.toThrow('skipNotFinite')
            const { bias, weights } = await session.parameters()
            expect([bias, weights]).toEqual([parameters.bias.values, parameters.weights.values])
            continue
          }
          await walk(session, 1, 7)
          const before = [await session.parameters(), await session.optimizer.stateDict()]
          const { bias, weights } = gradientsAt(8)
          const poisoned = (values: ArrayLike<number>): number[] =>
            Array.from(values, (g, i) => (i === 2 ? poison : g))
          expect(await session.step({ bias, weights: poisoned(weights) })).toBe('skipped')
          expect(await session.step({ bias: poisoned(bias), weights })).toBe('skipped')
          expect([await session.parameters(), await session.optimizer.stateDict()]).toEqual(before)
        }
      }
    },
  },
]
