import {
  adam,
  diffGrad,
  type Hyperparameters,
  noDecayOnBiasAndNorm,
  radam,
  type UpdateRule,
} from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { accuracy, type OptimizerChoice, Trainer, type TrainerOptions } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

const options = {
  loss: crossEntropy(),
  dimensions: { batch: 16 },
  optimizer: { rule: diffGrad, learningRate: 1e-2 },
  metrics: { accuracy: accuracy() },
} satisfies TrainerOptions<typeof diffGrad.defaults>

test.each(['kernel', 'graph'] as const)('a small network learns: %s', async (update) => {
  const trainer = await Trainer.create(ort, smallModel(), { ...options, update })
  const before = await trainer.evaluate(stripes(1000, 64))
  let last = Number.NaN
  for (let step = 0; step < 60; step++) last = (await trainer.step(stripes(step))).loss
  const after = await trainer.evaluate(stripes(1000, 64))
  expect(before.metrics.accuracy).toBeLessThan(0.6)
  expect(after.metrics.accuracy).toBeGreaterThan(0.9)
  expect(last).toBeLessThan(before.loss / 2)
  await trainer.dispose()
})

const traceOf = async <O extends Hyperparameters>(
  rule: UpdateRule<O>,
  update: 'kernel' | 'graph',
  groups: OptimizerChoice<Hyperparameters>['groups'] = [],
) => {
  const settings = { rule, learningRate: 1e-2, weightDecay: 1e-2, groups }
  const optimizer: OptimizerChoice<Hyperparameters> = settings
  const trainer = await Trainer.create(ort, smallModel(), { ...options, update, optimizer })
  const losses: number[] = []
  for (let step = 0; step < 12; step++) {
    losses.push((await trainer.step(stripes(step))).loss)
    if (step === 8) await trainer.set({ learningRate: 3e-3 })
  }
  await trainer.dispose()
  return losses
}

test.each([
  ['diffGrad', (update) => traceOf(diffGrad, update)],
  ['Adam', (update) => traceOf(adam, update)],
  ['RAdam, which has two phases', (update) => traceOf(radam, update)],
  [
    'RAdam, in three groups',
    (update) =>
      traceOf(radam, update, [noDecayOnBiasAndNorm, { parameters: /^2/, learningRate: 0.1 }]),
  ],
] as [string, (update: 'kernel' | 'graph') => Promise<number[]>][])(
  'both ways of updating give the same losses: %s',
  async (_, trace) => {
    const [byKernel, inGraph] = [await trace('kernel'), await trace('graph')]
    for (const [t, loss] of byKernel.entries()) expect(inGraph[t]).toBeCloseTo(loss, 4)
  },
)

test('a step shows the friction that it is about to use', async () => {
  const trainer = await Trainer.create(ort, smallModel(), options)
  const edges = { xi: [0.5, 0.500001, 0.5001, 0.6, 1] }
  const plain = await trainer.step(stripes(1))
  const { histograms } = await trainer.step(stripes(2), { histograms: edges })
  expect(plain.histograms).toBeUndefined()
  // Every parameter of the network has one friction, in [½, 1).
  const weights = 8 * 9 + 2 * 8 + 16 * 8 * 9 + 2 * 16 + 3 * 16 + 3
  expect(histograms?.xi.counts.reduce((a, b) => a + b)).toBe(weights)
  expect(histograms?.xi.outside).toBe(0)
  expect(histograms?.xi.mean).toBeGreaterThan(0.5)
  await expect(trainer.step(stripes(3), { histograms: { eta: [0, 1] } })).rejects.toThrow('no eta')
  expect((await trainer.step(stripes(3))).updates).toBe(3)
  const inGraph = await Trainer.create(ort, smallModel(), { ...options, update: 'graph' })
  await expect(inGraph.step(stripes(1), { histograms: edges })).rejects.toThrow('no inner values')
  for (const each of [trainer, inGraph]) await each.dispose()
})
