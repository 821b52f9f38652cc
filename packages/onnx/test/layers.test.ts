import { expect, test } from 'vitest'
import { xResNet, xResNet18 } from '../src/architectures/xresnet.ts'
import { dropout, gelu, mish, relu, silu } from '../src/layers/activation.ts'
import { selfAttention } from '../src/layers/attention.ts'
import { buildModel } from '../src/layers/build-model.ts'
import { conv } from '../src/layers/convolution.ts'
import {
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  xavierNormal,
  xavierUniform,
} from '../src/layers/initializers.ts'
import { type Layer, sequential } from '../src/layers/layer.ts'
import { linear } from '../src/layers/linear.ts'
import { layerNorm } from '../src/layers/normalization.ts'
import { averagePool, maxPool } from '../src/layers/pooling.ts'
import { seeded } from '../src/random.ts'
import { float, floats, session } from './runtime.ts'

const outputShape = (layer: Layer, ...shape: readonly (number | string)[]) =>
  buildModel(layer, { shape, seed: 1 }).outputs[0]?.shape

test('the batch may keep its name through every layer', () => {
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

test('a size that a layer needs must have a number', () => {
  expect(() => outputShape(linear(3), 'batch', 'features')).toThrow(
    'value "input": dimension "features" must have a size, but has none',
  )
})

test('XResNet-18 has as many parameters as its description says', () => {
  const { initializers } = buildModel(xResNet18(10), { shape: ['batch', 3, 64, 64], seed: 1 })
  const sizes = [...initializers].map(([name, tensor]) =>
    tensor.type === 'opaque' || name.includes('running') ? 0 : tensor.data.length,
  )
  // Convolutions: 28 512 in the stem, 10 985 472 in the blocks, 172 032 in the shortcuts; 2 × 4 864
  // for normalization; 5 130 in the head.
  expect(sizes.reduce((a, b) => a + b)).toBe(28_512 + 10_985_472 + 172_032 + 2 * 4_864 + 5_130)
})

test('the same seed draws the same parameters, another seed others', () => {
  const drawn = (seed: number) =>
    buildModel(linear(3), { shape: [1, 2], seed }).initializers.get('weight')
  expect(drawn(5)).toEqual(drawn(5))
  expect(drawn(5)).not.toEqual(drawn(6))
})

test.each([
  ['Kaiming, normal', kaimingNormal, 2 / 36],
  ['Kaiming, uniform', kaimingUniform, 2 / 36],
  ['Xavier, normal', xavierNormal, 2 / (36 + 450)],
  ['Xavier, uniform', xavierUniform, 2 / (36 + 450)],
] as const)(
  '%s: the variance is what fan-in and fan-out say',
  (_name, initializer: Initializer, wanted) => {
    const draw = initializer([50, 4, 3, 3], seeded(2))
    const values = Array.from({ length: 40_000 }, draw)
    const mean = values.reduce((a, b) => a + b) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.05 * Math.sqrt(wanted))
    expect(variance / wanted).toBeCloseTo(1, 1)
  },
)

test('an XResNet whose branches begin as nothing computes its shortcuts alone', async () => {
  const image = float(
    Float32Array.from({ length: 768 }, (_, i) => Math.sin(i)),
    [1, 3, 16, 16],
  )
  const run = async (blocks: readonly number[]) => {
    const network = xResNet({ classes: 2, blocks, stem: [8], width: 8 })
    const model = buildModel(network, { shape: [1, 3, 16, 16], seed: 3 })
    const same = buildModel(xResNet({ classes: 2, blocks: [1], stem: [8], width: 8 }), {
      shape: [1, 3, 16, 16],
      seed: 3,
    })
    const initializers = new Map([
      ...model.initializers,
      ...head(same.initializers, model.initializers),
    ])
    return floats(await (await session({ ...model, initializers })).run({ input: image }), 'output')
  }
  expect(await run([3])).toEqual(await run([1]))
})

/** The last layer's parameters: more blocks draw more numbers before it. */
function head<T>(
  from: ReadonlyMap<string, T>,
  like: ReadonlyMap<string, T>,
): readonly [string, T][] {
  return [...from].filter(([name]) => /^[04]\./.test(name) && like.has(name))
}
