import { allRules, diffGrad, type Kernel, numbers, stepKernels } from '@diffgrad/core'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import type { Model } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel } from '../src/nn/layer.ts'
import { linear } from '../src/nn/layers.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { arrayKey, type StepOperation } from '../src/step-operations.ts'
import { trainStepModel } from '../src/train-step-model.ts'
import { feedOf, feedsOf, float, floats, session } from './session.ts'

const forward = buildModel(linear(3), { shape: ['batch', 2], seed: testSeed(9) })
const options = { loss: meanSquaredError(), dimensions: { batch: 4 } }
const random = seeded(testSeed(10))
const randomData = (length: number): Float32Array =>
  Float32Array.from({ length }, () => random.uniform() + 0.1)
const feeds = { input: float(randomData(8), [4, 2]), target: float(randomData(12), [4, 3]) }

const decay = { weightDecay: 0.1 }
const updates = [1, 10].flatMap((t) =>
  Object.entries({
    ...Object.fromEntries(
      allRules.map((rule) => [rule.name, stepKernels(rule, { ...rule.defaults, ...decay }, t)]),
    ),
    'diffGrad, version 1': stepKernels(diffGrad, { ...diffGrad.defaults, ...decay, version: 1 }, t),
    'diffGrad, version 2': stepKernels(diffGrad, { ...diffGrad.defaults, ...decay, version: 2 }, t),
  }).map(([name, update]) => ({ name, t, ...update })),
)

test.each(updates)('$name in the graph updates as on numbers, at step $t', async (step) => {
  const { update, coefficients } = step
  const trained = trainStepModel(forward, { ...options, update })
  const differentiated = gradientModel(forward, options)
  const state = new Map(
    [...trained.state].map(([name, { data, shape }]) => {
      const isParameter = differentiated.parameters.has(name)
      return [name, float(isParameter ? data.slice() : randomData(data.length), shape)] as const
    }),
  )
  const scalars = [...(trained.coefficients[0] ?? [])].map(
    ([name, input]) =>
      [input, float(Float32Array.of(coefficients[name] ?? Number.NaN), [])] as const,
  )
  const results = await (await session(trained.model)).run({
    ...feeds,
    ...Object.fromEntries(state),
    ...Object.fromEntries(scalars),
  })
  const gradients = await (await session(differentiated.model)).run({
    ...feeds,
    ...feedsOf(differentiated.parameters),
  })
  for (const [name, { gradient, initial }] of differentiated.parameters) {
    const inputOf = (slot: string): string => (slot === 'theta' ? name : `${name}/${slot}`)
    for (let i = 0; i < initial.data.length; i++) {
      const values = Object.fromEntries(
        update.reads.map((slot) => {
          const from = slot === 'g' ? floats(gradients, gradient) : state.get(inputOf(slot))?.data
          return [slot, Number(from?.[i] ?? Number.NaN)]
        }),
      )
      const expected = update.evaluate(numbers, values, coefficients)
      for (const slot of update.writes) {
        const next = trained.next.get(inputOf(slot))
        if (next === undefined) {
          // The step leaves this state as it is, so the model does not have it.
          expect(expected[slot]).toBe(values[slot])
          continue
        }
        expectClose(floats(results, next)[i] ?? Number.NaN, expected[slot] ?? 0, {
          relative: 1e-6,
          absolute: 1e-6,
        })
      }
    }
  }
})

test('an update that reads a state without writing it is rejected', () => {
  const update: Kernel = {
    name: 'incomplete',
    reads: ['theta', 'g', 'm'],
    writes: ['theta'],
    coefficients: [],
    evaluate: (arithmetic, { theta, m }) => ({ theta: arithmetic.sub(theta, m) }),
  }
  expect(() => trainStepModel(forward, { ...options, update })).toThrow(
    'update incomplete: reads "m", which it must write, but does not',
  )
})

test('flat lists of arrays give the same update in one row of nodes', async () => {
  const { update, coefficients } = stepKernels(diffGrad, { ...diffGrad.defaults, ...decay }, 1)
  const parameters = ['weight', 'bias']
  const operations: readonly StepOperation[] = [
    { transform: 'centralize', parameters: ['weight'], array: 'g' },
    { transform: 'clip', parameters, array: 'g' },
    { kernel: update, parameters },
  ]
  const run = async (flat: readonly (readonly string[])[]) => {
    const trained = trainStepModel(forward, {
      ...options,
      update: operations,
      flat,
      gradientSum: true,
    })
    const { model, state, arrays, next } = trained
    const scalars = trained.coefficients.flatMap((names) =>
      [...names].map(([name, input]) => {
        const value = name === 'limit' ? 0.5 : (coefficients[name] ?? Number.NaN)
        return [input, float(Float32Array.of(value), [])] as const
      }),
    )
    const initial = [...state].map(([name, tensor]) => [name, feedOf(tensor)] as const)
    const results = await (await session(model)).run({
      ...feeds,
      ...Object.fromEntries([...initial, ...scalars]),
    })
    const written = ['theta', 'm', 'v'].map((array) => {
      const inputs = new Set(parameters.map((name) => arrays.get(arrayKey(name, array)) ?? ''))
      return [...inputs].flatMap((name) => [...floats(results, next.get(name) ?? '')])
    })
    return { model, written, sum: floats(results, trained.gradientSum ?? '')[0] }
  }
  const [separate, flat] = [await run([]), await run([parameters])]
  expect(flat.written).toEqual(separate.written)
  expect(flat.sum).toBeCloseTo(separate.sum ?? Number.NaN, 5)
  const divisions = ({ nodes }: Model): number =>
    nodes.filter(({ operator, inputs }) => operator === 'Sqrt' && inputs.length === 1).length
  expect(divisions(flat.model)).toBeLessThan(divisions(separate.model))
})
