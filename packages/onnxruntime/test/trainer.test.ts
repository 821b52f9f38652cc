import { adam, diffGrad, radam } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { accuracy, Trainer, type TrainerOptions } from '../src/index.ts'
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

test.each([diffGrad, adam, radam])(
  'both ways of updating give the same losses: $name',
  async (rule) => {
    const losses = await Promise.all(
      (['kernel', 'graph'] as const).map(async (update) => {
        const trainer = await Trainer.create(ort, smallModel(), {
          ...options,
          update,
          optimizer: { rule, learningRate: 1e-2, weightDecay: 1e-2 },
        })
        const found = []
        for (let step = 0; step < 12; step++) found.push((await trainer.step(stripes(step))).loss)
        await trainer.dispose()
        return found
      }),
    )
    for (const [t, loss] of losses[0].entries()) expect(losses[1][t]).toBeCloseTo(loss, 4)
  },
)
