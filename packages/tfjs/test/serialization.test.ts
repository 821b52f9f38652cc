import {
  allRules,
  cosine,
  lambda,
  lion,
  noDecayOnBiasAndNorm,
  oneCycle,
  plateau,
  startAt,
} from '@diffgrad/core'
import * as layers from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import * as all from '../src/index.ts'
import { matchNames } from '../src/registration.ts'
import { classes } from './conformance-adapter.ts'

beforeAll(() => tf.setBackend('cpu'))

const { DiffGrad } = all

/** Saves a model with an optimizer, loads it, and returns the loaded optimizer. */
async function saveAndLoad(optimizer: tf.Optimizer): Promise<tf.Optimizer> {
  const model = layers.sequential({ layers: [layers.layers.dense({ units: 1, inputShape: [1] })] })
  model.compile({ optimizer, loss: 'meanSquaredError' })
  const saved: layers.io.ModelArtifacts[] = []
  const handler = layers.io.withSaveHandler(async (artifacts) => {
    saved.push(artifacts)
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  })
  await model.save(handler, { includeOptimizer: true })
  return (await layers.loadLayersModel(layers.io.fromMemory(saved[0]))).optimizer
}

test('options are saved and loaded, including underscores in names', async () => {
  const optimizer = new DiffGrad({
    learningRate: oneCycle({ peak: 0.1, steps: 10 }),
    version: 2,
    clip: { by: 'globalNorm', limit: 2 },
    ema: { decay: 0.9 },
    groups: [
      { parameters: /conv2d_\d+\/.*_kernel$/i, weightDecay: 0.1 },
      { parameters: ['layer_a/kernel', 'b(1)'], learningRate: 0.5 },
      noDecayOnBiasAndNorm,
    ],
  })
  const loaded = await saveAndLoad(optimizer)
  expect(loaded).toBeInstanceOf(DiffGrad)
  expect(loaded.getConfig()).toEqual(optimizer.getConfig())
  const variables = ['conv2d_1/my_Kernel', 'layer_a/kernel', 'b(1)', 'layerXa/kernel'].map((name) =>
    tf.variable(tf.ones([2, 2]), true, name),
  )
  for (const one of [optimizer, loaded as all.DiffGrad]) {
    one.bind(variables)
    expect(one.hyperparameters(variables[0].name).weightDecay).toBe(0.1)
    expect(one.hyperparameters(variables[1].name).learningRate).toBe(0.5)
    expect(one.hyperparameters(variables[2].name).learningRate).toBe(0.5)
    expect(one.hyperparameters(variables[3].name)).toMatchObject({ weightDecay: 0, version: 2 })
  }
})

test('a learning rate that is a function is refused where a model is saved', () => {
  const optimizer = new all.SGD({ learningRate: lambda((step) => 0.1 / (1 + step)) })
  expect(() => optimizer.getConfig()).toThrow(
    new TypeError(
      'SGD: a learningRate that is a function cannot be saved with a model; a table can: piecewise([[0, 0.1], …])',
    ),
  )
})

test('a group with another rule resumes, before its variables are registered as well', async () => {
  const options = {
    groups: [{ parameters: /bias/, rule: lion, learningRate: 0.25, optional: true }],
  }
  const [kernel, bias] = ['kernel', 'bias'].map((name) => tf.variable(tf.ones([1]), true, name))
  const first = new all.NAdam(options)
  const step = (optimizer: all.RuleOptimizer) =>
    optimizer.applyGradients({ [kernel.name]: tf.ones([1]), [bias.name]: tf.ones([1]) })
  step(first)
  expect(bias.dataSync()[0]).toBe(0.75)
  const state = await first.stateDict()
  const second = new all.NAdam(options)
  second.loadStateDict(state)
  expect(() => second.set({ momentumDecay: 0 })).toThrow('Lion: has no option momentumDecay')
  second.set({ learningRate: 0.5 }, /bias/)
  step(second)
  expect(bias.dataSync()[0]).toBe(0.25)
  const saved = await second.stateDict()
  expect(saved.parameters.bias).toMatchObject({ rule: 'Lion', step: 2 })
  const third = new all.NAdam(options)
  await third.setWeights(await second.getWeights())
  expect(await third.stateDict()).toEqual(saved)
  expect(() => new all.NAdam().loadStateDict(state)).toThrow(
    'NAdam: the state has Lion as the rule of bias, but the optimizer has NAdam',
  )
  expect(() => first.getConfig()).toThrow(
    'NAdam: a group with a rule of its own, Lion, cannot be saved with a model; save stateDict() beside it',
  )
  tf.dispose([kernel, bias])
})

test('the index of a saved state has one byte a character, and names options once', async () => {
  const sizeOf = async (units: number): Promise<number> => {
    const optimizer = new all.SGD({ learningRate: 0.1 })
    const weights = Array.from({ length: units }, (_, i) =>
      tf.variable(tf.ones([1]), true, `of ${units}/${i} ä`),
    )
    for (const { name } of weights) optimizer.applyGradients({ [name]: tf.ones([1]) })
    const saved = await optimizer.getWeights()
    const { data } = await tf.io.encodeWeights([...saved])
    const again = new all.SGD()
    await again.setWeights(saved)
    expect(await again.stateDict()).toEqual(await optimizer.stateDict())
    return Array.isArray(data) ? Number.NaN : data.byteLength
  }
  const [one, nine] = [await sizeOf(1), await sizeOf(9)]
  expect(one).toBeLessThan(400)
  // The name of 9 or 10 bytes, its quotes, and the numbers and punctuation of [name,1,0,[]],
  expect(nine - one).toBeLessThan(8 * (10 + 2 + 12 + 1))
})

test.each(Object.entries(classes))(
  '%s is registered under a name that TensorFlow.js does not use',
  (_, Rule) => {
    const { classNameMap } = tf.serialization.SerializationMap.getMap()
    const { className } = new Rule().constructor as unknown as { readonly className: string }
    expect(classNameMap[className][0]).toBe(Rule)
    expect(Object.values(tf.train).map((make) => make.name)).not.toContain(className)
    expect(['SGD', 'Adam', 'Adamax', 'Adagrad', 'Adadelta', 'Momentum', 'RMSProp']).not.toContain(
      className,
    )
  },
)

test('register registers all of them with another copy of TensorFlow.js', () => {
  const registered: string[] = []
  all.register({
    serialization: {
      registerClass: (cls: { className: string }) => void registered.push(cls.className),
    },
  } as never)
  expect(registered).toHaveLength(allRules.length)
  expect(new Set(registered).size).toBe(allRules.length)
})

/** The optimizer classes in the bundle of a script, and the rules of its generated kernels. */
async function bundle(script: string) {
  const { metafile, outputFiles } = await build({
    stdin: { contents: script, resolveDir: import.meta.dirname },
    external: ['@tensorflow/*'],
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    metafile: true,
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  const files = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  const classes = outputFiles[0].text.matchAll(/defineOptimizer\(\s*"(\w+)"/g)
  return {
    classes: Array.from(classes, ([, name]) => name),
    generated: files.flatMap(
      ([path]) => /kernels\/src\/generated\/(?!worker)(\w+)/.exec(path)?.[1] ?? [],
    ),
  }
}

test('a bundle has the classes that it uses and their kernels, or all with register', async () => {
  const none = { classes: [], generated: [] }
  expect(await bundle("import { DiffGrad } from '@diffgrad/tfjs'")).toEqual(none)
  const one = await bundle("import { DiffGrad } from '@diffgrad/tfjs'; new DiffGrad()")
  expect(one.classes).toEqual(['DiffGrad'])
  expect(one.generated.toSorted()).toEqual(['diffgrad', 'transforms'])
  const all = await bundle("import { register } from '@diffgrad/tfjs'; register(tf)")
  expect(all.classes).toHaveLength(allRules.length)
})

test('a subclass for another rule is saved and loaded', async () => {
  class OwnOptimizer extends all.RuleOptimizer {
    static override get className(): string {
      return 'OwnOptimizer'
    }
    constructor(options = {}) {
      super({ ...new all.SGD().rule, name: 'own' } as never, options)
    }
  }
  tf.serialization.registerClass(OwnOptimizer)
  expect(await saveAndLoad(new OwnOptimizer({ learningRate: 0.25 }))).toBeInstanceOf(OwnOptimizer)
})

test('variables match saved names', () => {
  const match = (variables: string[], saved: string[]) =>
    Object.fromEntries(matchNames('x', variables, saved))
  expect(match(['a', 'b'], ['b', 'a'])).toEqual({ a: 'a', b: 'b' })
  expect(match(['a_1', 'b_1'], ['a', 'b'])).toEqual({ a_1: 'a', b_1: 'b' })
  expect(match(['a_1', 'new'], ['a', 'b'])).toEqual({ a_1: 'a' })
  expect(match(['a_1', 'a_2'], ['a_1'])).toEqual({ a_1: 'a_1' })
  expect(match(['a_1', 'a_2'], ['a_2', 'a_3'])).toEqual({ a_1: 'a_3', a_2: 'a_2' })
  expect(match(['a_1', 'a_2', 'b_1'], ['a', 'b'])).toEqual({ b_1: 'b' })
  expect(match(['a_2', 'b_1'], ['a', 'a_1', 'b'])).toEqual({ b_1: 'b' })
  expect(match(['7', '8'], ['1', '7'])).toEqual({ 7: '1', 8: '7' })
  expect(match(['1', '7'], ['1', '7'])).toEqual({ 1: '1', 7: '7' })
  expect(match(['7', 'a'], ['1', '7', 'a'])).toEqual({ 7: '7', a: 'a' })
  expect(() => match(['c', 'd', 'e'], ['a', 'b'])).toThrow(
    'x: the state is of a,b, but the variables are c,d,e',
  )
})

test('matching names takes work that grows with their number, not its square', () => {
  const { replace } = String.prototype
  const stems = [50, 100].map((n) => {
    const names = (suffix: string) =>
      Array.from({ length: n }, (_, i) => `layer${i}/kernel${suffix}`)
    const [variables, saved] = [names('_1'), names('')]
    let count = 0
    const counted = function (this: string, ...args: never): string {
      count++
      return replace.apply(this, args)
    }
    Object.assign(String.prototype, { replace: counted })
    try {
      expect(matchNames('x', variables, saved).size).toBe(n)
    } finally {
      Object.assign(String.prototype, { replace })
    }
    return count
  })
  expect(stems[1]).toBe(2 * stems[0])
})

test('a layer that was frozen when the state was saved starts without state', async () => {
  const [a, b] = ['conv_1', 'conv_2'].map((name) => tf.variable(tf.ones([2]), true, name))
  const saving = new DiffGrad({ learningRate: 0.5 })
  saving.applyGradients({ conv_1: tf.ones([2]) })
  const state = await saving.stateDict()
  const loading = new DiffGrad({ learningRate: 0.25 })
  loading.loadStateDict(state)
  loading.bind([a, b])
  const { conv_1, conv_2 } = (await loading.stateDict()).parameters
  expect(conv_1).toEqual(state.parameters.conv_1)
  expect(conv_2).toMatchObject({ step: 0, options: { learningRate: 0.25 } })
  expect(() => loading.loadStateDict(state)).toThrow('diffGrad: the state has no parameter conv_2')
})

test('loading that is not strict matches by names alone, also variables that appear later', async () => {
  const [p4, p5, p6] = ['p/four', 'p/five', 'p/six'].map((name) =>
    tf.variable(tf.ones([2]), true, name),
  )
  const saving = new DiffGrad({ learningRate: 0.5 })
  saving.applyGradients({ [p4.name]: tf.ones([2]) })
  const loading = new DiffGrad({ learningRate: 0.25 })
  loading.bind([p5])
  const before = (await loading.stateDict()).parameters
  expect(loading.loadStateDict(await saving.stateDict(), { strict: false })).toEqual({
    missing: ['p/five'],
    unexpected: ['p/four'],
    mismatched: [],
  })
  expect(loading.hyperparameters('p/five').learningRate).toBe(0.25)
  expect((await loading.stateDict()).parameters['p/five']).toEqual(before['p/five'])
  loading.bind([p6])
  expect(loading.hyperparameters('p/six').learningRate).toBe(0.25)
  loading.bind([p4])
  expect((await loading.stateDict()).parameters['p/four'].step).toBe(1)
})

test('after dispose, schedules restart as the updates do, after the delay of the constructor', () => {
  tf.variable(tf.ones([2]), true, 'restarted')
  const optimizer = new DiffGrad({
    weightDecay: startAt(15, cosine({ from: 0.1, to: 0, steps: 10 })),
  })
  const step = (times: number) => {
    for (let i = 0; i < times; i++) optimizer.applyGradients({ restarted: tf.ones([2]) })
  }
  step(100)
  optimizer.set({ learningRate: { kind: 'cosine', from: 0.1, to: 0, steps: 10 } })
  optimizer.dispose()
  step(15)
  expect(optimizer.hyperparameters('restarted')).toMatchObject({
    learningRate: 0,
    weightDecay: 0.1,
  })
  step(10)
  expect(optimizer.hyperparameters('restarted').weightDecay).toBe(0)
  optimizer.set({ learningRate: plateau({ from: 0.1, factor: 0.5, patience: 0 }) })
  for (const loss of [1, 2, 3]) optimizer.report(loss)
  expect(optimizer.learningRate).toBeLessThan(0.1)
  optimizer.dispose()
  expect(optimizer.learningRate).toBe(0.1)
})
