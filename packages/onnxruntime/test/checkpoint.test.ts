import { adam, cosine, diffGrad, type OptimizerOptions } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  linear,
  sequential,
} from '@diffgrad/onnx'
import { testSeed } from '@diffgrad/testing/seed'
import { safetensors } from '@jax-js/loaders'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

const transforms = {
  accumulate: 2,
  clip: { by: 'globalNorm', limit: 1 },
  lookahead: { every: 3, alpha: 0.5 },
  ema: { decay: 0.9 },
} as const

const createTrainer = (
  options: OptimizerOptions<typeof diffGrad.defaults> = transforms,
  update: 'kernel' | 'graph' = 'kernel',
) =>
  Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: {
      rule: diffGrad,
      learningRate: cosine({ from: 1e-2, to: 1e-3, steps: 20 }),
      ...options,
    },
    update,
  })

const train = async (trainer: Trainer<never>, from: number, to: number): Promise<number[]> => {
  const losses: number[] = []
  for (let t = from; t < to; t++) losses.push((await trainer.step(stripes(t))).loss)
  return losses
}

test.each([
  ['kernel', transforms],
  ['graph', {}],
] as const)(
  'resumed training equals uninterrupted training bit for bit: %s',
  async (update, options) => {
    const uninterrupted = await createTrainer(options, update)
    await train(uninterrupted, 0, 7)
    const saved = await uninterrupted.save({ randomState: 7 })
    const expected = await train(uninterrupted, 7, 15)
    const resumed = await createTrainer(options, update)
    expect(await resumed.load(saved)).toEqual({ randomState: 7 })
    expect(await train(resumed, 7, 15)).toEqual(expected)
    expect(await resumed.save()).toEqual(await uninterrupted.save())
    await uninterrupted.dispose()
    await resumed.dispose()
  },
)

test('an independent reader finds the weights and the optimizer state', async () => {
  const trainer = await createTrainer()
  await train(trainer, 0, 3)
  const { tensors, metadata } = safetensors.parse(await trainer.save())
  expect(tensors['0.0.weight'].shape).toEqual([8, 1, 3, 3])
  expect(tensors['0.1.running_mean'].data).toHaveLength(8)
  expect(tensors['optimizer/previousGradient/2.weight'].dtype).toBe('F32')
  expect(JSON.parse(metadata?.optimizer ?? '')).toMatchObject({ rule: 'diffGrad', updates: 1 })
  await trainer.dispose()
})

test('a checkpoint of another model or optimizer is an error that names the first difference, and nothing changes', async () => {
  const trainer = await createTrainer()
  await train(trainer, 0, 4)
  const before = await trainer.save()
  const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
  const wider = buildModel(
    sequential(sequential(conv(9), batchNorm()), globalAveragePool, linear(3)),
    { shape: ['batch', 1, 8, 8], seed: testSeed(1) },
  )
  const others = [
    [smallModel(), { rule: adam }, 'diffGrad: the state is of Adam'],
    [smallModel(), { rule: diffGrad, version: 1 }, 'diffGrad: the state has version 1'],
  ] as const
  const other = await Trainer.create(ort, wider, { ...options, optimizer: { rule: diffGrad } })
  await expect(trainer.load(await other.save())).rejects.toThrow(
    'checkpoint: "0.0.weight" must be [8,1,3,3], but is [9,1,3,3]',
  )
  for (const [model, optimizer, message] of others) {
    const other = await Trainer.create(ort, model, { ...options, optimizer } as never)
    await expect(trainer.load(await other.save())).rejects.toThrow(message)
    await other.dispose()
  }
  for (const [bytes, message] of [
    [before.subarray(0, before.length - 8), /but the file has/],
    [
      before.subarray(0, 5),
      'checkpoint: must be a safetensors file, but its 5 bytes are another or a truncated one',
    ],
    [new Uint8Array(64), 'checkpoint: must be a safetensors file, but its 64 bytes are'],
  ] as const)
    await expect(trainer.load(bytes)).rejects.toThrow(message)
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})
