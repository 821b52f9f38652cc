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
import { safetensors } from '@jax-js/loaders'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

const surroundings = {
  accumulate: 2,
  clip: { by: 'globalNorm', limit: 1 },
  lookahead: { every: 3, alpha: 0.5 },
  ema: { decay: 0.9 },
} as const

const create = (
  options: OptimizerOptions<typeof diffGrad.defaults> = surroundings,
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
  ['kernel', surroundings],
  ['graph', {}],
] as const)(
  'training resumed is training uninterrupted, bit for bit: %s',
  async (update, options) => {
    const whole = await create(options, update)
    await train(whole, 0, 7)
    const saved = await whole.save({ generator: 7 })
    const expected = await train(whole, 7, 15)
    const resumed = await create(options, update)
    expect(await resumed.load(saved)).toEqual({ generator: 7 })
    expect(await train(resumed, 7, 15)).toEqual(expected)
    expect(await resumed.save()).toEqual(await whole.save())
    await whole.dispose()
    await resumed.dispose()
  },
)

test('an independent reader finds the weights, and what is remembered of them', async () => {
  const trainer = await create()
  await train(trainer, 0, 3)
  const { tensors, metadata } = safetensors.parse(await trainer.save())
  expect(tensors['0.0.weight'].shape).toEqual([8, 1, 3, 3])
  expect(tensors['0.1.running_mean'].data).toHaveLength(8)
  expect(tensors['memory/previousGradient/2.weight'].dtype).toBe('F32')
  expect(JSON.parse(metadata?.optimizer ?? '')).toMatchObject({ rule: 'diffGrad', updates: 1 })
  await trainer.dispose()
})

test('a checkpoint of something else is refused by its first difference, and nothing changes', async () => {
  const trainer = await create()
  await train(trainer, 0, 4)
  const before = await trainer.save()
  const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
  const wider = buildModel(
    sequential(sequential(conv(9), batchNorm()), globalAveragePool, linear(3)),
    { shape: ['batch', 1, 8, 8], seed: 1 },
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
    [before.subarray(0, 5), 'checkpoint: 5 bytes are no safetensors file'],
    [new Uint8Array(64), 'checkpoint: 64 bytes are no safetensors file'],
  ] as const)
    await expect(trainer.load(bytes)).rejects.toThrow(message)
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})
