import { diffGrad, type Hyperparameters, scheduleFreeAdamW } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  linear,
  readModel,
  relu,
  sequential,
} from '@diffgrad/onnx'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { readCheckpoint, Trainer, type TrainerOptions } from '../src/index.ts'
import { stripes } from './small-model.ts'

const twoNormalizations = buildModel(
  sequential(
    sequential(conv(2), batchNorm(), relu),
    sequential(conv(3), batchNorm(), relu, globalAveragePool),
    linear(3),
  ),
  { shape: ['batch', 1, 8, 8], seed: testSeed(1) },
)

type Weights = Readonly<Record<string, ArrayLike<number>>>

/** A batch of images of 8 × 8, by image, channel and pixel. */
type Images = readonly (readonly ArrayLike<number>[])[]

/** Cross-correlation by a kernel of 3 × 3 with a border of zeros, computed directly. */
const convolve = (images: Images, weight: ArrayLike<number>): Images =>
  images.map((channels) => {
    const count = weight.length / (9 * channels.length)
    return Array.from({ length: count }, (_, to) =>
      Array.from({ length: 64 }, (_, pixel) => {
        let sum = 0
        for (const [from, channel] of channels.entries())
          for (let k = 0; k < 9; k++) {
            const [row, column] = [(pixel >> 3) + Math.floor(k / 3) - 1, (pixel & 7) + (k % 3) - 1]
            if (row < 0 || row > 7 || column < 0 || column > 7) continue
            sum += weight[9 * (to * channels.length + from) + k] * channel[8 * row + column]
          }
        return sum
      }),
    )
  })

/** Mean and population variance of each channel. */
const statisticsOf = (images: Images) =>
  images[0].map((_, channel) => {
    const all = images.flatMap((channels) => Array.from(channels[channel]))
    const mean = all.reduce((sum, x) => sum + x, 0) / all.length
    return { mean, variance: all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length }
  })

/** Running statistics of a batch, by name, at some weights. */
function batchStatistics({ input }: ReturnType<typeof stripes>, weights: Weights) {
  const images = Array.from({ length: input.length / 64 }, (_, i) => [
    input.subarray(64 * i, 64 * i + 64),
  ])
  const first = convolve(images, weights['0.0.weight'])
  const [scale, bias] = [weights['0.1.weight'], weights['0.1.bias']]
  const ofFirst = statisticsOf(first)
  const normalized = first.map((channels) =>
    channels.map((channel, c) => {
      const { mean, variance } = ofFirst[c]
      return Array.from(channel, (x) =>
        Math.max(0, (scale[c] * (x - mean)) / Math.sqrt(variance + 1e-5) + bias[c]),
      )
    }),
  )
  const ofSecond = statisticsOf(convolve(normalized, weights['1.0.weight']))
  return {
    '0.1.running_mean': ofFirst.map(({ mean }) => mean),
    '0.1.running_var': ofFirst.map(({ variance }) => variance),
    '1.1.running_mean': ofSecond.map(({ mean }) => mean),
    '1.1.running_var': ofSecond.map(({ variance }) => variance),
  }
}

const { beta1 } = scheduleFreeAdamW.defaults
type Options = Pick<TrainerOptions<Hyperparameters>, 'optimizer' | 'update'>
const ofEma = { rule: diffGrad, ema: { decay: 0.8 } }
const averages: Readonly<Record<string, Options>> = {
  'the evaluation point of Schedule-Free': { optimizer: { rule: scheduleFreeAdamW } },
  'the evaluation point in the graph': { optimizer: { rule: scheduleFreeAdamW }, update: 'graph' },
  'an EMA': { optimizer: ofEma },
  'an EMA in the graph': { optimizer: ofEma, update: 'graph' },
}

test.for(Object.entries(averages))(
  'running statistics of %s are means of those of batches, by direct convolution',
  async ([name, { optimizer, update = 'kernel' }]) => {
    const trainer = await Trainer.create(ort, twoNormalizations, {
      loss: crossEntropy(),
      dimensions: { batch: 16 },
      optimizer: { ...optimizer, learningRate: 3e-2 },
      update,
    })
    for (let t = 0; t < 8; t++) await trainer.step(stripes(t))
    const before = await trainer.save()
    const { weights, optimizer: state } = readCheckpoint(before)
    const averaged = Object.entries(weights).map(([parameter, { data }]) => {
      const { ema, z } = state.parameters[parameter]?.state ?? {}
      const x = z && Array.from(data, (y, i) => y + (1 / beta1 - 1) * (y - z[i]))
      return [parameter, x ?? ema ?? data] as const
    })
    const stale = await trainer.evaluate(stripes(50), { average: true })
    const batches = [stripes(20), stripes(21, 5)]
    for (const batch of batches) await trainer.reestimate(batch)

    const expected = batches.map((batch) => batchStatistics(batch, Object.fromEntries(averaged)))
    const { initializers } = readModel(await trainer.export({ average: true }))
    for (const key of Object.keys(expected[0]) as (keyof (typeof expected)[0])[]) {
      const found = initializers.get(key)
      if (found?.type !== 'float32') throw new TypeError('must be float32')
      const mean = expected[0][key].map((value, i) => (value + expected[1][key][i]) / 2)
      expectClose(Array.from(found.data, Number), mean, { relative: 1e-4, absolute: 1e-5 })
    }
    const evaluated = await trainer.evaluate(stripes(50), { average: true })
    expect(evaluated.loss, name).not.toBe(stale.loss)

    // A batch that does not fit changes nothing, and a file keeps the estimate.
    await expect(trainer.reestimate({ input: new Float32Array(3) })).rejects.toThrow('"input"')
    const saved = await trainer.save()
    const { averageStatistics, ...rest } = readCheckpoint(saved)
    expect(rest).toEqual(readCheckpoint(before))
    expect(Object.keys(averageStatistics ?? {})).toEqual(Object.keys(expected[0]))
    await trainer.load(before)
    expect(await trainer.evaluate(stripes(50), { average: true })).toEqual(stale)
    await trainer.step(stripes(30))
    const uninterrupted = await trainer.save()
    await trainer.load(saved)
    expect(await trainer.evaluate(stripes(50), { average: true })).toEqual(evaluated)
    await trainer.step(stripes(30))
    expect(await trainer.save()).toEqual(uninterrupted)
    await trainer.dispose()
  },
)

test('a trainer without an average refuses to estimate its statistics', async () => {
  const trainer = await Trainer.create(ort, twoNormalizations, {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
  })
  await expect(trainer.reestimate(stripes(0))).rejects.toThrow('swapAverage needs the option ema')
  await trainer.dispose()
})
