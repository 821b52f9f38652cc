import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { expect, test } from 'vitest'
import { selfAttention, simpleSelfAttention } from '../src/nn/attention.ts'
import {
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  seeded,
  xavierNormal,
  xavierUniform,
} from '../src/nn/initializers.ts'
import { buildModel, type Layer, sequential } from '../src/nn/layer.ts'
import {
  averagePool,
  conv,
  dropout,
  gelu,
  layerNorm,
  linear,
  maxPool,
  mish,
  relu,
  silu,
} from '../src/nn/layers.ts'
import { xResNet, xResNet18, xResNet50 } from '../src/nn/xresnet.ts'
import { float, floats, session } from './session.ts'

const outputShape = (layer: Layer, ...shape: readonly (number | string)[]) =>
  buildModel(layer, { shape, seed: 1 }).outputs[0]?.shape

test('a symbolic batch dimension passes through every layer', () => {
  expect(outputShape(xResNet18(10), 'batch', 3, 64, 64)).toEqual(['batch', 10])
  const small = xResNet({ classes: 7, blocks: [1, 1, 1], stem: [8, 8], width: 8 })
  expect(outputShape(small, 'n', 3, 33, 35)).toEqual(['n', 7])
  const encoder = sequential(
    selfAttention(3),
    layerNorm(),
    linear(5),
    gelu,
    silu,
    mish,
    dropout(0.1),
  )
  expect(outputShape(encoder, 'batch', 4, 6)).toEqual(['batch', 4, 5])
  const pools = sequential(conv(2, { stride: 2 }), relu, maxPool(2), averagePool(3, { stride: 1 }))
  expect(outputShape(pools, 'batch', 1, 21, 20)).toEqual(['batch', 2, 3, 3])
})

test('a dimension that a layer needs must have a size', () => {
  expect(() => outputShape(linear(3), 'batch', 'features')).toThrow(
    'value "input": dimension "features" must have a size, but has none',
  )
})

function parametersOf(layer: Layer): number {
  const { initializers } = buildModel(layer, { shape: ['batch', 3, 64, 64], seed: 1 })
  const sizes = [...initializers].map(([name, { type, ...tensor }]) =>
    'data' in tensor && type === 'float32' && !name.includes('running') ? tensor.data.length : 0,
  )
  return sizes.reduce((a, b) => a + b)
}

test('the parameter counts of XResNets are those of their layers', () => {
  // Convolutions: 28 512 in the stem, 10 985 472 in the blocks, 172 032 in the shortcuts; 2 × 4 864
  // for normalization; 5 130 in the head.
  const plain = parametersOf(xResNet18(10))
  expect(plain).toBe(28_512 + 10_985_472 + 172_032 + 2 * 4_864 + 5_130)
  // The same, with bottlenecks: 23 445 504 in blocks and shortcuts, 53 248 for normalization.
  expect(parametersOf(xResNet50(10))).toBe(28_512 + 23_445_504 + 53_248 + 20_490)
  // Attention in the first stage: a projection of 64 × 64, and γ.
  const attentive = xResNet18(10, { selfAttention: true, activation: mish })
  expect(parametersOf(attentive)).toBe(plain + 64 * 64 + 1)
})

test('the same seed initializes the same parameters, another seed others', () => {
  const weightOf = (seed: number) =>
    buildModel(linear(3), { shape: [1, 2], seed }).initializers.get('weight')
  expect(weightOf(5)).toEqual(weightOf(5))
  expect(weightOf(5)).not.toEqual(weightOf(6))
})

test.each([
  ['Kaiming, normal', kaimingNormal, 2 / 36],
  ['Kaiming, uniform', kaimingUniform, 2 / 36],
  ['Xavier, normal', xavierNormal, 2 / (36 + 450)],
  ['Xavier, uniform', xavierUniform, 2 / (36 + 450)],
] as const)(
  '%s: the variance follows from fan-in and fan-out',
  (_name, initializer: Initializer, expected) => {
    const draw = initializer([50, 4, 3, 3], seeded(testSeed(2)))
    const values = Array.from({ length: 40_000 }, draw)
    const mean = values.reduce((a, b) => a + b) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.05 * Math.sqrt(expected))
    expectClose(variance, expected, { relative: 0.05 })
  },
)

test('an XResNet whose branches start at zero computes only its shortcuts', async () => {
  const image = float(
    Float32Array.from({ length: 768 }, (_, i) => Math.sin(i)),
    [1, 3, 16, 16],
  )
  const run = async (blocks: readonly number[]) => {
    const network = xResNet({ classes: 2, blocks, stem: [8], width: 8 })
    const model = buildModel(network, { shape: [1, 3, 16, 16], seed: testSeed(3) })
    const same = buildModel(xResNet({ classes: 2, blocks: [1], stem: [8], width: 8 }), {
      shape: [1, 3, 16, 16],
      seed: testSeed(3),
    })
    const initializers = new Map([
      ...model.initializers,
      ...head(same.initializers, model.initializers),
    ])
    return floats(await (await session({ ...model, initializers })).run({ input: image }), 'output')
  }
  expect(await run([3])).toEqual(await run([1]))
})

/** The parameters of the stem and the head, which depend on the number of blocks between them. */
function head<T>(
  from: ReadonlyMap<string, T>,
  like: ReadonlyMap<string, T>,
): readonly [string, T][] {
  return [...from].filter(([name]) => /^[04]\./.test(name) && like.has(name))
}

test('simple self-attention is γ·(x·xᵀ)·(W·x) + x, and starts as the identity', async () => {
  const initial = buildModel(simpleSelfAttention(), { shape: [1, 2, 1, 3], seed: 1 })
  const x = float(Float32Array.of(1, 2, 3, -1, 0, 2), [1, 2, 1, 3])
  const first = await (await session(initial)).run({ input: x })
  expect([...floats(first, 'output')]).toEqual([1, 2, 3, -1, 0, 2])
  const initializers = new Map(initial.initializers)
    .set('gamma', { type: 'float32', shape: [1], data: Float32Array.of(0.5) })
    .set('projection.weight', {
      type: 'float32',
      shape: [2, 2, 1, 1],
      data: Float32Array.of(1, 2, 0, -1),
    })
  const results = await (await session({ ...initial, initializers })).run({ input: x })
  // x·xᵀ = [14 5; 5 5], W·x = [-1 2 7; 1 0 -2].
  expect([...floats(results, 'output')]).toEqual([-3.5, 16, 47, -1, 5, 14.5])
})
