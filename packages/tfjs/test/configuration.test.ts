import { noDecayOnBiasAndNorm, oneCycle } from '@diffgrad/core'
import * as layers from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs-core'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import * as all from '../src/index.ts'
import { matchNames } from '../src/names.ts'
import { classes } from './subject.ts'

beforeAll(() => tf.setBackend('cpu'))

const { DiffGrad } = all

/** What TensorFlow.js does to a configuration between saving and loading. */
async function throughFile(optimizer: tf.Optimizer): Promise<tf.Optimizer> {
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

test('options survive a file, underscores and all', async () => {
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
  const loaded = await throughFile(optimizer)
  expect(loaded).toBeInstanceOf(DiffGrad)
  expect(loaded.getConfig()).toEqual(optimizer.getConfig())
  const own = ['conv2d_1/my_Kernel', 'layer_a/kernel', 'b(1)', 'layerXa/kernel'].map((name) =>
    tf.variable(tf.ones([2, 2]), true, name),
  )
  for (const one of [optimizer, loaded as all.DiffGrad]) {
    one.bind(own)
    expect(one.hyperparameters(own[0].name).weightDecay).toBe(0.1)
    expect(one.hyperparameters(own[1].name).learningRate).toBe(0.5)
    expect(one.hyperparameters(own[2].name).learningRate).toBe(0.5)
    expect(one.hyperparameters(own[3].name)).toMatchObject({ weightDecay: 0, version: 2 })
  }
})

test.each(Object.entries(classes))('%s is registered under a name of its own', (_, Rule) => {
  const { classNameMap } = tf.serialization.SerializationMap.getMap()
  const { className } = new Rule().constructor as unknown as { readonly className: string }
  expect(classNameMap[className][0]).toBe(Rule)
  expect(Object.values(tf.train).map((make) => make.name)).not.toContain(className)
  expect(['SGD', 'Adam', 'Adamax', 'Adagrad', 'Adadelta', 'Momentum', 'RMSProp']).not.toContain(
    className,
  )
})

test('register makes all of them known to another copy of TensorFlow.js', () => {
  const known: string[] = []
  all.register({
    serialization: {
      registerClass: (cls: { className: string }) => void known.push(cls.className),
    },
  } as never)
  expect(known).toHaveLength(9)
  expect(new Set(known).size).toBe(9)
})

/** How many classes, each of which registers itself, are in the bundle of a script. */
async function classesIn(script: string): Promise<number> {
  const { metafile } = await build({
    stdin: { contents: script, resolveDir: import.meta.dirname },
    external: ['@tensorflow/*'],
    conditions: ['@diffgrad/source'],
    bundle: true,
    write: false,
    metafile: true,
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  return Object.keys(inputs).filter((path) => path.includes('src/optimizers/')).length
}

test('a bundle has the classes that it uses, or all with register', async () => {
  expect(await classesIn("import { DiffGrad } from '@diffgrad/tfjs'")).toBe(0)
  expect(await classesIn("import { DiffGrad } from '@diffgrad/tfjs'; new DiffGrad()")).toBe(1)
  expect(await classesIn("import { register } from '@diffgrad/tfjs'; register(tf)")).toBe(9)
})

test('a subclass of its own rule is saved and loaded', async () => {
  class Mine extends all.RuleOptimizer {
    static override get className(): string {
      return 'MineOfTheTest'
    }
    constructor(options = {}) {
      super({ ...new all.SGD().rule, name: 'mine' } as never, options)
    }
  }
  tf.serialization.registerClass(Mine)
  expect(await throughFile(new Mine({ learningRate: 0.25 }))).toBeInstanceOf(Mine)
})

test('saved names are found again', () => {
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

test('a layer that was frozen when the state was saved begins anew beside the others', async () => {
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
