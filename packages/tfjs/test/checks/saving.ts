import { noDecayOnBiasAndNorm, oneCycle } from '@diffgrad/core'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { DiffGrad, type RuleOptimizer } from '../../src/index.ts'
import { classes } from '../conformance-adapter.ts'
import { type Check, lines, network, perceptron } from './fixtures.ts'

/** Options of every kind. */
const allOptions = {
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

/**
 * Trains for 6 steps, by when rectified rules have begun to adapt, saves, loads, and continues with both
 * models. No call may leak a tensor.
 */
async function saveAndResume(
  model: tf.LayersModel,
  optimizer: RuleOptimizer,
  furtherEpochs = 1,
): Promise<void> {
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
    if (again === 0) await fit(model, furtherEpochs)
    await fit(loaded, furtherEpochs)
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

/** Saving, loading and continuing. */
export const savingChecks: readonly Check[] = [
  ...Object.entries(classes).map(([rule, Rule]) => ({
    name: `${rule}: training that is saved and loaded continues bit for bit, and leaks no tensor`,
    run: () => saveAndResume(perceptron(), new Rule({ learningRate: 0.01 })),
  })),
  {
    name: 'training with schedules, groups, clipping, EMA and accumulation continues bit for bit',
    run: () => saveAndResume(network(), new DiffGrad(allOptions), 3),
  },
]
