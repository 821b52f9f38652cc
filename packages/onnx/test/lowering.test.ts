import { testSeed } from '@diffgrad/testing/seed'
import { beforeAll, expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { type Lowering, referenceLowering } from '../src/ir/lowering.ts'
import type { Model } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel, sequential } from '../src/nn/layer.ts'
import { batchNorm, conv, globalAveragePool, linear, maxPool, relu } from '../src/nn/layers.ts'
import { crossEntropy } from '../src/nn/losses.ts'
import { expectTensorClose, feedsOf, float, floats, integers, session } from './session.ts'

const batch = 9
const network = buildModel(
  sequential(
    conv(6, { kernel: 5, stride: 2 }),
    batchNorm(),
    relu,
    maxPool(3, { stride: 2, padding: 1 }),
    conv(6, { groups: 2 }),
    conv(8, { dilation: 2, bias: true }),
    relu,
    conv(8, { stride: 2, bias: true }),
    conv(8),
    globalAveragePool,
    linear(4),
  ),
  { shape: ['batch', 3, 13, 14], seed: testSeed(11) },
)
const random = seeded(testSeed(12))
const input = float(
  Float32Array.from({ length: batch * 546 }, () => random.normal()),
  [batch, 3, 13, 14],
)
const target = integers(Array.from({ length: batch }, (_, i) => i % 4))

interface LoweredModel {
  readonly model: Model
  readonly gradients: ReadonlyMap<string, Float32Array>
}

async function computeGradients(lowering: Partial<Lowering>): Promise<LoweredModel> {
  const options = { loss: crossEntropy(), dimensions: { batch }, lowering }
  const { model, parameters, statistics } = gradientModel(network, options)
  const state = feedsOf([...parameters, ...statistics])
  const results = await (await session(model)).run({ input, target, ...state })
  const gradients = [...parameters].map(
    ([name, { gradient }]) => [name, floats(results, gradient)] as const,
  )
  return { model, gradients: new Map(gradients) }
}

let reference: LoweredModel
beforeAll(async () => {
  reference = await computeGradients(referenceLowering)
})

/** The number of times that an operator occurs shows that a lowering was applied. */
const lowerings: readonly (readonly [Partial<Lowering>, string, (n: number) => boolean])[] = [
  [{ ...referenceLowering, weightGradient: 'im2col' }, 'Gather', (n) => n > 0],
  [{ ...referenceLowering, weightGradient: 'slices' }, 'Conv', (n) => n === 5],
  [{ ...referenceLowering, weightGradient: 'taps' }, 'Gemm', (n) => n === 3],
  [{ ...referenceLowering, imageGradient: 'flipped' }, 'ConvTranspose', (n) => n === 1],
  [{ ...referenceLowering, foldBatchUpTo: 16 }, 'Pad', (n) => n > 0],
  [{ ...referenceLowering, operators: 'plain' }, 'MaxPool', (n) => n === 0],
  [{ ...referenceLowering, operators: 'plain' }, 'BatchNormalization', (n) => n === 0],
  [{ ...referenceLowering, imageGradient: 'adaptive' }, 'ConvTranspose', (n) => n < 4],
  [{}, 'Gemm', (n) => n > 3],
]

test.each(lowerings)('the lowering %o changes no gradient', async (lowering, operator, holds) => {
  const { model, gradients } = await computeGradients(lowering)
  expect(holds(model.nodes.filter((node) => node.operator === operator).length)).toBe(true)
  for (const [name, gradient] of reference.gradients)
    expectTensorClose(gradients.get(name) ?? [], gradient, 1e-5, name)
})
