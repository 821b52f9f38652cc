import { beforeAll, expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { type Lowering, literal } from '../src/ir/lowering.ts'
import { relu } from '../src/layers/activation.ts'
import { buildModel } from '../src/layers/build-model.ts'
import { conv } from '../src/layers/convolution.ts'
import { sequential } from '../src/layers/layer.ts'
import { linear } from '../src/layers/linear.ts'
import { batchNorm } from '../src/layers/normalization.ts'
import { globalAveragePool, maxPool } from '../src/layers/pooling.ts'
import { crossEntropy } from '../src/losses/cross-entropy.ts'
import type { Model } from '../src/model/model.ts'
import { seeded } from '../src/random.ts'
import { relativeError } from './closeness.ts'
import { fed, float, floats, integers, session } from './runtime.ts'

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
  { shape: ['batch', 3, 13, 14], seed: 11 },
)
const random = seeded(12)
const input = float(
  Float32Array.from({ length: batch * 546 }, () => random.normal()),
  [batch, 3, 13, 14],
)
const target = integers(Array.from({ length: batch }, (_, i) => i % 4))

interface Lowered {
  readonly model: Model
  readonly gradients: ReadonlyMap<string, Float32Array>
}

async function lowered(lowering: Partial<Lowering>): Promise<Lowered> {
  const options = { loss: crossEntropy(), dimensions: { batch }, lowering }
  const { model, parameters, statistics } = gradientModel(network, options)
  const state = [...parameters, ...statistics].map(
    ([name, { initial }]) => [name, fed(initial)] as const,
  )
  const results = await (await session(model)).run({ input, target, ...Object.fromEntries(state) })
  const gradients = [...parameters].map(
    ([name, { gradient }]) => [name, floats(results, gradient)] as const,
  )
  return { model, gradients: new Map(gradients) }
}

let reference: Lowered
beforeAll(async () => {
  reference = await lowered(literal)
})

/** What tells that a formulation is there: how many times an operator occurs. */
const formulations: readonly (readonly [Partial<Lowering>, string, (n: number) => boolean])[] = [
  [{ ...literal, weightGradient: 'patches' }, 'Gather', (n) => n > 0],
  [{ ...literal, weightGradient: 'slices' }, 'Conv', (n) => n === 5],
  [{ ...literal, weightGradient: 'taps' }, 'Gemm', (n) => n === 3],
  [{ ...literal, imageGradient: 'flipped' }, 'ConvTranspose', (n) => n === 1],
  [{ ...literal, foldBatchUpTo: 16 }, 'Pad', (n) => n > 0],
  [{ ...literal, operators: 'plain' }, 'MaxPool', (n) => n === 0],
  [{ ...literal, operators: 'plain' }, 'BatchNormalization', (n) => n === 0],
  [{ ...literal, imageGradient: 'adaptive' }, 'ConvTranspose', (n) => n < 4],
  [{}, 'Gemm', (n) => n > 3],
]

test.each(formulations)('gradients are the same in %o', async (lowering, operator, holds) => {
  const { model, gradients } = await lowered(lowering)
  expect(holds(model.nodes.filter((node) => node.operator === operator).length)).toBe(true)
  for (const [name, gradient] of reference.gradients)
    expect(relativeError(gradients.get(name) ?? [], gradient), name).toBeLessThan(1e-5)
})
