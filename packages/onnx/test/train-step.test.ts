import {
  adaMod,
  adam,
  adamW,
  type Hyperparameters,
  diffGrad,
  diffMod,
  diffRGrad,
  type Kernel,
  numbers,
  radam,
  ruleKernels,
  type Settings,
  sgd,
  type UpdateRule,
} from '@diffgrad/core'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel } from '../src/nn/layer.ts'
import { linear } from '../src/nn/layers.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { trainStepModel } from '../src/train-step-model.ts'
import { feedsOf, float, floats, session } from './session.ts'

const forward = buildModel(linear(3), { shape: ['batch', 2], seed: testSeed(9) })
const options = { loss: meanSquaredError(), dimensions: { batch: 4 } }
const random = seeded(testSeed(10))
const drawn = (length: number): Float32Array =>
  Float32Array.from({ length }, () => random.uniform() + 0.1)
const feeds = { input: float(drawn(8), [4, 2]), target: float(drawn(12), [4, 3]) }

/** The update kernel of a rule at step t, and its coefficients. */
function updateAt<O extends Hyperparameters>(
  rule: UpdateRule<O>,
  settings: O & Settings<O>,
  t: number,
): { readonly update: Kernel; readonly coefficients: Readonly<Record<string, number>> } {
  const form = rule.variant?.(settings, t) ?? {}
  const { update } = ruleKernels(rule, settings, { form, decay: settings.decay })
  const decayStep = settings.learningRate * settings.weightDecay
  const own = rule.coefficients(settings, t)
  return { update, coefficients: { ...own, weightDecay: settings.weightDecay, decayStep } }
}

const decay = { weightDecay: 0.1 }
const updates = [1, 10].flatMap((t) =>
  Object.entries({
    sgd: updateAt(sgd, { ...sgd.defaults, ...decay }, t),
    adam: updateAt(adam, { ...adam.defaults, ...decay }, t),
    adamW: updateAt(adamW, { ...adamW.defaults, ...decay }, t),
    radam: updateAt(radam, { ...radam.defaults, ...decay }, t),
    adaMod: updateAt(adaMod, { ...adaMod.defaults, ...decay }, t),
    'diffGrad, version 0': updateAt(diffGrad, { ...diffGrad.defaults, ...decay }, t),
    'diffGrad, version 1': updateAt(diffGrad, { ...diffGrad.defaults, ...decay, version: 1 }, t),
    'diffGrad, version 2': updateAt(diffGrad, { ...diffGrad.defaults, ...decay, version: 2 }, t),
    diffRGrad: updateAt(diffRGrad, { ...diffRGrad.defaults, ...decay }, t),
    diffMod: updateAt(diffMod, { ...diffMod.defaults, ...decay }, t),
  }).map(([name, update]) => ({ name, t, ...update })),
)

test.each(updates)('$name in the graph updates as on numbers, at step $t', async (step) => {
  const { update, coefficients } = step
  const trained = trainStepModel(forward, { ...options, update })
  const differentiated = gradientModel(forward, options)
  const state = new Map(
    [...trained.state].map(([name, { data, shape }]) => {
      const isParameter = differentiated.parameters.has(name)
      return [name, float(isParameter ? data.slice() : drawn(data.length), shape)] as const
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
          const from =
            slot === 'g'
              ? floats(gradients, gradient)
              : floats(Object.fromEntries(state), inputOf(slot))
          return [slot, from[i] ?? Number.NaN]
        }),
      )
      const expected = update.evaluate(numbers, values, coefficients)
      for (const slot of update.writes) {
        const found = floats(results, trained.next.get(inputOf(slot)) ?? '')[i]
        expectClose(found ?? Number.NaN, expected[slot] ?? 0, { relative: 1e-6, absolute: 1e-6 })
      }
    }
  }
})

test('an update that reads a state without writing it is refused', () => {
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
