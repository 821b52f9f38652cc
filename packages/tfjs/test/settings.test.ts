import { constant, linear, noDecayOnBiasAndNorm, plateau } from '@diffgrad/core'
import * as tf from '@tensorflow/tfjs'
import { beforeEach, describe, expect, test } from 'vitest'
import { Adam, AdamW, DiffGrad, type RuleOptimizer, SGD } from '../src/index.ts'
import { classes } from './conformance-adapter.ts'

beforeEach(() => tf.setBackend('cpu'))

let models = 0

/** A model of two weights that start at 1, with the loss (w₁ − 3w₂)². */
function modelOf(optimizer: tf.Optimizer): tf.LayersModel {
  const kernel = tf.layers.dense({
    units: 1,
    inputShape: [2],
    useBias: false,
    kernelInitializer: 'ones',
    name: `dense_${++models}`,
  })
  const model = tf.sequential({ layers: [kernel] })
  model.compile({ optimizer, loss: 'meanSquaredError' })
  return model
}

/** The first weight of a model after each of four steps, with `change` after each. */
async function weights(model: tf.LayersModel, change = (): void => {}): Promise<number[]> {
  const found: number[] = []
  await model.fit(tf.tensor2d([[1, -3]]), tf.zeros([1, 1]), {
    epochs: 4,
    verbose: 0,
    callbacks: {
      onEpochEnd: () => {
        found.push(model.getWeights()[0].dataSync()[0])
        change()
      },
    },
  })
  return found
}

/** Settings of an optimizer of tf.train, which its types hide. */
const untyped = (optimizer: tf.Optimizer): Record<string, unknown> =>
  optimizer as unknown as Record<string, unknown>

test('learningRate *= 0.1 in a callback acts as on an optimizer of tf.train', async () => {
  const ends = await Promise.all(
    [tf.train.adam(0.1, 0.9, 0.999, 1e-7), new Adam(0.1, 0.9, 0.999, 1e-7)].map((optimizer) => {
      const model = modelOf(optimizer)
      const settings = untyped(model.optimizer)
      return weights(model, () => {
        settings.learningRate = Number(settings.learningRate) * 0.1
      })
    }),
  )
  for (const [i, w] of ends[1].entries()) expect(w).toBeCloseTo(ends[0][i], 5)
  const [first, second] = ends[1]
  expect(second).toBeGreaterThan(first - 0.011)
})

/** A value of each hyperparameter that differs from its default. */
const changed: Readonly<Record<string, unknown>> = {
  learningRate: 0.5,
  weightDecay: 0.25,
  decay: undefined, // Changes with weightDecay.
  momentum: 0.25,
  dampening: 0.25,
  nesterov: true,
  beta1: 0.5,
  beta2: 0.75,
  epsilon: 50,
  version: 2,
  degenerateToSgd: undefined,
  memoryLength: 2,
  averageStep: true,
}

/** The options with which a setting acts. */
const base = (rule: string): object =>
  rule === 'SGD' ? { learningRate: 0.1, momentum: 0.5 } : { learningRate: 0.1 }

describe.each(Object.entries(classes))('%s', (rule, Rule) => {
  const defaults = Object.keys(new Rule().rule.defaults)
  test.each(defaults.filter((name) => changed[name] !== undefined))(
    'assigning %s changes the steps after it, and reads back',
    async (setting) => {
      const [kept, assigned] = [new Rule(base(rule)), new Rule(base(rule))]
      const settings = untyped(assigned)
      const [before, after] = [
        await weights(modelOf(kept)),
        await weights(modelOf(assigned), () => {
          settings[setting] = changed[setting]
        }),
      ]
      expect(after[0]).toBe(before[0])
      // Rectified rules have taken no adaptive step by then, and the gradients of Lion keep their signs.
      if (!/RAdam|Ranger|DiffRGrad|Lion/.test(rule)) expect(after).not.toEqual(before)
      expect(settings[setting]).toBe(changed[setting])
    },
  )
})

test('useNesterov is the nesterov of SGD', () => {
  const optimizer = new SGD(0.1, 0.9)
  expect(untyped(optimizer).useNesterov).toBe(false)
  untyped(optimizer).useNesterov = true
  expect([optimizer.nesterov, untyped(optimizer).useNesterov]).toEqual([true, true])
})

test.each<[string, unknown, string]>([
  [
    'learningRate',
    Number.NaN,
    'Adam: learningRate must be a finite number, at least 0, but is NaN',
  ],
  ['learningRate', undefined, 'Adam: learningRate must be a finite number, at least 0, but is NaN'],
  ['beta1', undefined, 'Adam: beta1 must be in [0, 1), or a schedule, but is undefined'],
  ['beta1', 1, 'Adam: beta1 must be in [0, 1), but is 1'],
  ['momentum', 0.9, 'Adam: has no option momentum'],
  ['useNesterov', true, 'Adam: has no option nesterov'],
  ['rho', 0.9, 'Adam: has no option rho'],
  ['centered', true, 'Adam: has no option centered'],
  ['initialAccumulatorValue', 0.1, 'Adam: has no option initialAccumulatorValue'],
  ['decay', 0.9, 'Adam: decay must be l2 or decoupled, but is 0.9'],
  ['clip', { by: 'value', limit: 1 }, 'Adam: clip is an option of the constructor alone'],
  ['groups', [], 'Adam: groups is an option of the constructor alone'],
])('assigning %s = %s is refused by name, and changes nothing', (setting, value, message) => {
  const optimizer = new Adam(0.1)
  const before = optimizer.getConfig()
  expect(() => {
    untyped(optimizer)[setting] = value
  }).toThrow(message)
  expect(optimizer.getConfig()).toEqual(before)
})

test('a setting that a rule lacks reads as undefined', () => {
  expect(untyped(new Adam()).rho).toBeUndefined()
  expect(untyped(new Adam()).momentum).toBeUndefined()
})

test('arguments in the order of tf.train are options', () => {
  const config = (optimizer: RuleOptimizer): object => optimizer.getConfig()
  expect(config(new DiffGrad(0.01))).toEqual(config(new DiffGrad({ learningRate: 0.01 })))
  expect(config(new Adam(0.01, 0.8, undefined, 1e-6))).toEqual(
    config(new Adam({ learningRate: 0.01, beta1: 0.8, epsilon: 1e-6 })),
  )
  expect(config(new Adam(0.01, 0.8, 0.9, null))).toEqual(
    config(new Adam({ learningRate: 0.01, beta1: 0.8, beta2: 0.9 })),
  )
  expect(config(new SGD(0.01, 0.9, true))).toEqual(
    config(new SGD({ learningRate: 0.01, momentum: 0.9, nesterov: true })),
  )
})

test.each<[string, readonly unknown[], string]>([
  [
    'a Map',
    [new Map([['learningRate', 1]])],
    'options must be an object such as { learningRate: 0.01 }, but are a Map',
  ],
  [
    'a function',
    [Math.sqrt],
    'options must be an object such as { learningRate: 0.01 }, but are a function',
  ],
  ['a string', ['0.1'], 'options must be an object such as { learningRate: 0.01 }, but are "0.1"'],
  ['null', [null], 'options must be an object such as { learningRate: 0.01 }, but are null'],
  ['a list', [[0.1]], 'options must be an object such as { learningRate: 0.01 }, but are [0.1]'],
  ['NaN', [Number.NaN], 'learningRate must be a finite number, at least 0, but is NaN'],
  ['a wrong second argument', [0.1, 2], 'beta1 must be in [0, 1), but is 2'],
  ['options after a number', [0.1, { beta2: 0.9 }], 'beta1: the kind of a schedule must be '],
  [
    'a fifth argument',
    [0.1, 0.9, 0.999, 1e-7, 0.5],
    'takes learningRate, beta1, beta2, epsilon, but argument 5 is 0.5',
  ],
  [
    'a number after options',
    [{ beta1: 0.8 }, 0.1],
    'options are the only argument, but argument 2 is 0.1',
  ],
])('a constructor refuses %s by name', (_, given, message) => {
  const Rule = Adam as new (...args: readonly unknown[]) => Adam
  expect(() => new Rule(...given)).toThrow(`Adam: ${message}`)
})

test('a schedule reads as its value at the next step', async () => {
  const optimizer = new DiffGrad({ learningRate: linear({ from: 1, to: 0, steps: 4 }) })
  const seen: number[] = [optimizer.learningRate]
  await weights(modelOf(optimizer), () => void seen.push(optimizer.learningRate))
  expect(seen).toEqual([1, 0.75, 0.5, 0.25, 0])
  optimizer.learningRate = constant(0.125)
  expect(optimizer.learningRate).toBe(0.125)
})

test('a setting that differs between parameter groups is not read as one number', () => {
  const kernel = tf.variable(tf.ones([1]), true, 'apart/kernel')
  const head = tf.variable(tf.ones([1]), true, 'apart/head')
  for (const bound of [false, true]) {
    const optimizer = new AdamW({
      learningRate: 0.1,
      groups: [{ parameters: /head/, learningRate: 0.5 }],
    })
    if (bound) optimizer.bind([kernel, head])
    expect(() => {
      optimizer.learningRate *= 0.1
    }).toThrow('AdamW: learningRate differs between parameter groups (0.1, 0.5)')
    expect(optimizer.beta1).toBe(0.9)
    optimizer.learningRate = 0.25
    expect(optimizer.learningRate).toBe(0.25)
  }
})

test('settings of an optimizer that was loaded with its model act', async () => {
  const model = modelOf(new AdamW({ learningRate: 0.1, groups: [noDecayOnBiasAndNorm] }))
  await weights(model)
  const saved: tf.io.ModelArtifacts[] = []
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved.push(artifacts)
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  })
  await model.save(handler, { includeOptimizer: true })
  const loaded = await tf.loadLayersModel(tf.io.fromMemory(saved[0]))
  const optimizer = loaded.optimizer as AdamW
  expect(optimizer.learningRate).toBe(0.1)
  optimizer.learningRate *= 0
  expect(optimizer.learningRate).toBe(0)
  const [start] = loaded.getWeights()[0].dataSync()
  loaded.compile({ optimizer, loss: 'meanSquaredError' })
  expect(new Set(await weights(loaded))).toEqual(new Set([start]))
})

test('a schedule that is set during training starts where it is set', () => {
  const w = tf.variable(tf.ones([1]), true, 'late')
  const optimizer = new DiffGrad({ learningRate: 0.5 })
  const step = (): void => void optimizer.minimize(() => tf.sum(tf.square(w)), false, [w])
  for (let t = 0; t < 3; t++) step()
  optimizer.setLearningRate(linear({ from: 1, to: 0, steps: 4 }))
  const seen = Array.from({ length: 5 }, () => {
    const rate = optimizer.learningRate
    step()
    return rate
  })
  expect(seen).toEqual([1, 0.75, 0.5, 0.25, 0])
})

test('a loaded state that waits for its variable sees set and report', async () => {
  const learningRate = plateau({ from: 0.5, factor: 0.5, patience: 1 })
  const names = ['waits/kernel', 'waits/head']
  const variables = names.map((name) => tf.variable(tf.ones([2]), true, name))
  const gradients = Object.fromEntries(names.map((name) => [name, tf.ones([2])]))
  const saving = new AdamW({ learningRate })
  saving.applyGradients(gradients)
  const loading = new AdamW({ learningRate })
  loading.loadStateDict(await saving.stateDict())
  for (const loss of [1, 1, 1, 1, 1]) loading.report(loss)
  expect(loading.learningRate).toBe(0.125)
  loading.set({ weightDecay: 0.25 }, /head/)
  loading.bind(variables)
  const settings = names.map((name) => loading.hyperparameters(name))
  expect(settings.map(({ learningRate }) => learningRate)).toEqual([0.125, 0.125])
  expect(settings.map(({ weightDecay }) => weightDecay)).toEqual([0.01, 0.25])
})

test('a group that selects no variable is refused by the first step, unless it is optional', () => {
  const w = tf.variable(tf.ones([1]), true, 'only/kernel')
  const step = (optimizer: RuleOptimizer): unknown =>
    optimizer.minimize(() => tf.sum(tf.square(w)), false, [w])
  const [wrong, listed, optional] = [
    new Adam({ groups: [{ parameters: /Bias$/, weightDecay: 0 }] }),
    new Adam({ groups: [{ parameters: ['only/kernel', 'only/bias'], weightDecay: 0 }] }),
    new Adam({ groups: [{ parameters: /Bias$/, weightDecay: 0, optional: true }] }),
  ]
  expect(() => step(wrong)).toThrow('Adam: /Bias$/ selects no parameter')
  expect(() => step(listed)).toThrow('Adam: only/bias is selected, but is not a parameter')
  expect(w.dataSync()[0]).toBe(1)
  step(optional)
  expect(w.dataSync()[0]).toBeLessThan(1)
})

test('a state of other variables, or with other transforms, loads in part on request', async () => {
  const names = ['part/a', 'part/b', 'part/c']
  const [a, b, c] = names.map((name) => tf.variable(tf.ones([2]), true, name))
  const gradients = (...of: string[]) => Object.fromEntries(of.map((name) => [name, tf.ones([2])]))
  const saving = new Adam({ lookahead: { every: 1, alpha: 0.5 } })
  saving.applyGradients(gradients('part/a', 'part/b'))
  const state = await saving.stateDict()
  const loading = new Adam()
  loading.bind([a, c])
  const before = await loading.stateDict()
  expect(() => loading.loadStateDict(state, { transforms: 'keep' })).toThrow(
    'Adam: the state has no parameter part/c',
  )
  expect(() => loading.loadStateDict(state, { strict: false })).toThrow(
    'Adam: the state has lookahead',
  )
  expect(await loading.stateDict()).toEqual(before)
  const { numTensors } = tf.memory()
  expect(loading.loadStateDict(state, { strict: false, transforms: 'keep' })).toEqual({
    missing: ['part/c'],
    unexpected: ['part/b'],
    mismatched: [],
  })
  expect(tf.memory().numTensors).toBe(numTensors + 2) // m and v of b, which waits.
  loading.bind([b])
  const { parameters } = await loading.stateDict()
  expect([parameters['part/a'].step, parameters['part/b'].step, parameters['part/c'].step]).toEqual(
    [1, 1, 0],
  )
  expect(parameters['part/b'].state).toEqual({
    m: state.parameters['part/b'].state.m,
    v: state.parameters['part/b'].state.v,
  })
})

test('variables can be bound with options of their own, and removed', async () => {
  const make = (name: string): tf.Variable => tf.variable(tf.ones([2]), true, name)
  const [a, b] = [make('own/a'), make('own/b')]
  const optimizer = new Adam({ learningRate: 0.5, groups: [{ parameters: /own/, beta1: 0.5 }] })
  optimizer.bind([a])
  optimizer.bind([b], { learningRate: 0.25, beta1: 0.75 })
  expect(optimizer.hyperparameters('own/a')).toMatchObject({ learningRate: 0.5, beta1: 0.5 })
  expect(optimizer.hyperparameters('own/b')).toMatchObject({ learningRate: 0.25, beta1: 0.75 })
  expect(() => optimizer.bind([a], { beta1: 0.1 })).toThrow(
    'Adam: the variable own/a is registered',
  )
  expect(() => optimizer.bind([make('own/c')], { beta3: 0.1 } as object)).toThrow(
    'Adam: has no option beta3',
  )
  const gradients = { 'own/a': tf.ones([2]), 'own/b': tf.ones([2]) }
  optimizer.applyGradients(gradients)
  expect(() => optimizer.remove([a, { name: 'own/d' }])).toThrow(
    'Adam: no variable own/d is registered',
  )
  const state = await optimizer.stateDict()
  expect(Object.keys(state.parameters)).toEqual(['own/a', 'own/b'])
  const { numTensors } = tf.memory()
  b.dispose()
  optimizer.remove([b])
  expect(tf.memory().numTensors).toBe(numTensors - 3) // b, and its m and v.
  const again = make('own/b')
  optimizer.applyGradients(gradients)
  const { parameters } = await optimizer.stateDict()
  expect([parameters['own/a'].step, parameters['own/b'].step]).toEqual([2, 1])
  const loading = new Adam({ learningRate: 0.5 })
  loading.loadStateDict(state)
  loading.bind([a])
  loading.bind([again], { learningRate: 0.125 })
  expect(loading.hyperparameters('own/a').learningRate).toBe(0.5)
  expect(loading.hyperparameters('own/b')).toMatchObject({ learningRate: 0.125, beta1: 0.75 })
})
