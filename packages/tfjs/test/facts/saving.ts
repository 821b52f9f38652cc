import { noDecayOnBiasAndNorm, oneCycle } from '@diffgrad/core'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, type RuleOptimizer } from '../../src/index.ts'
import { classes } from '../subject.ts'
import type { Fact } from './fact.ts'
import { lines, network } from './network.ts'

/** Options of every kind. */
const everything = {
  learningRate: oneCycle({ peak: 0.02, steps: 40 }),
  weightDecay: 0.1,
  clip: { by: 'globalNorm', limit: 1 },
  ema: { decay: 0.9 },
  lookahead: { every: 3, alpha: 0.5 },
  accumulate: 2,
  groups: [noDecayOnBiasAndNorm, { parameters: /conv2d_.*\/kernel/, beta1: 0.8 }],
} as const

const weightsOf = async (model: tf.LayersModel): Promise<readonly number[][]> =>
  Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())))

const count = (): number => tf.memory().numTensors

/** Trains, saves, loads, and goes on with both; no tensor may be left over, anywhere. */
async function saveAndResume(optimizer: RuleOptimizer): Promise<void> {
  const model = network()
  const { xs, ys } = lines()
  const loss = 'meanSquaredError'
  const fit = (one: tf.LayersModel, epochs: number) =>
    one.fit(xs, ys, { epochs, batchSize: 8, shuffle: false, verbose: 0 })
  model.compile({ optimizer, loss })
  await fit(model, 1)
  const during = count()
  await fit(model, 2)
  expect(count(), 'tensors after more steps').toBe(during)
  const artifacts: tf.io.ModelArtifacts[] = []
  const handler = tf.io.withSaveHandler(async (saved) => {
    artifacts.push(saved)
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  })
  await model.save(handler, { includeOptimizer: true })
  expect(count(), 'tensors after saving').toBe(during)
  const [saved] = artifacts
  for (let again = 0; again < 2; again++) {
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(structuredClone(saved)))
    expect(loaded.optimizer.constructor).toBe(optimizer.constructor)
    if (again === 0) await fit(model, 3)
    await fit(loaded, 3)
    expect(await weightsOf(loaded)).toEqual(await weightsOf(model))
    expect(loaded.optimizer.iterations).toBe(optimizer.iterations)
    loaded.optimizer.dispose()
    loaded.dispose()
    expect(count(), 'tensors after the loaded model').toBe(during)
  }
  optimizer.dispose()
  model.dispose()
  tf.dispose([xs, ys])
}

/** What happens to a model on disk. */
export const saving: readonly Fact[] = [
  ...Object.entries(classes).map(([rule, Rule]) => ({
    name: `${rule}: save, load, go on equals never having stopped, and leaks nothing`,
    check: () => saveAndResume(new Rule({ learningRate: 0.01 })),
  })),
  {
    name: 'so it is with schedules, groups, clipping, averages and accumulation',
    check: () => saveAndResume(new DiffGrad(everything)),
  },
]
