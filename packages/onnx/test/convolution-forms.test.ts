import { testSeed } from '@diffgrad/testing/seed'
import fc from 'fast-check'
import type { Tensor } from 'onnxruntime-node'
import { beforeAll, expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { type Lowering, referenceLowering } from '../src/ir/lowering.ts'
import type { Model } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel, sequential } from '../src/nn/layer.ts'
import { conv } from '../src/nn/layers.ts'
import { type Loss, meanSquaredError } from '../src/nn/losses.ts'
import { channelBlockProbe } from '../src/ops/blocked.ts'
import { mul, reduceSum } from '../src/ops/builders.ts'
import { expectTensorClose, feedsOf, float, floats, session } from './session.ts'

/** The channels per block of the runtime that runs the tests: 16 with AVX-512, else 8. */
let block = 0
beforeAll(async () => {
  const x = float(
    Float32Array.from({ length: 128 }, (_, i) => i),
    [1, 64, 1, 2],
  )
  const { y } = await (await session(channelBlockProbe)).run({ x })
  block = y?.data instanceof Float32Array ? y.data.indexOf(1) : 0
})

/** A convolution between two others, so that it has gradients of its image and of its weight. */
interface Convolution {
  readonly batch: number
  readonly space: readonly [number, number]
  /** In blocks of the runtime; 0 stands for 3 channels. */
  readonly channelBlocks: number
  readonly outputBlocks: number
  readonly kernel: number
  readonly stride: number
  readonly padding: number
  readonly dilation: number
  readonly bias: boolean
  readonly groups: 1 | 2
}

const convolutions: fc.Arbitrary<Convolution> = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  space: fc.tuple(fc.integer({ min: 7, max: 12 }), fc.integer({ min: 7, max: 12 })),
  channelBlocks: fc.integer({ min: 0, max: 2 }),
  outputBlocks: fc.integer({ min: 1, max: 2 }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 3 }),
  dilation: fc.constantFrom(1, 1, 1, 2),
  bias: fc.boolean(),
  groups: fc.constantFrom(1, 1, 1, 2),
})

async function outputAndGradients(
  model: Model,
  input: Tensor,
  target: Tensor,
  lowering: Partial<Lowering>,
): Promise<{ readonly nodes: Model['nodes']; readonly values: ReadonlyMap<string, Float32Array> }> {
  const gradient = gradientModel(model, {
    loss: meanSquaredError(),
    dimensions: { batch: input.dims[0] ?? 1 },
    lowering: { ...referenceLowering, imageGradient: 'adaptive', ...lowering },
  })
  const feeds = { input, target, ...feedsOf([...gradient.parameters]) }
  const results = await (await session(gradient.model)).run(feeds)
  const names = ['output', ...[...gradient.parameters.values()].map((one) => one.gradient)]
  return {
    nodes: gradient.model.nodes,
    values: new Map(names.map((name) => [name, floats(results, name)])),
  }
}

const normalTensor = (shape: readonly number[], seed: number): Tensor => {
  const random = seeded(seed)
  const length = shape.reduce((a, b) => a * b, 1)
  return float(
    Float32Array.from({ length }, () => random.normal()),
    shape,
  )
}

test('products and blocked layouts give the output and gradients of the definition', async () => {
  const used = new Set<string>()
  await fc.assert(
    fc.asyncProperty(convolutions, async (form) => {
      const { batch, space, kernel, stride, padding, dilation, bias, groups } = form
      const channels = block * form.channelBlocks || 3
      const outputs = block * form.outputBlocks
      const grouped = channels % groups === 0 ? groups : 1
      const model = buildModel(
        sequential(
          conv(channels, { kernel: 1 }),
          conv(outputs, { kernel, stride, padding, dilation, bias, groups: grouped }),
          conv(2, { kernel: 1 }),
        ),
        { shape: ['batch', 2, ...space], seed: testSeed(21) },
      )
      const shape = model.outputs[0]?.shape?.map((size) =>
        size === 'batch' ? batch : Number(size),
      )
      const input = normalTensor([batch, 2, ...space], testSeed(22))
      const target = normalTensor(shape ?? [], testSeed(23))
      const reference = await outputAndGradients(model, input, target, {})
      for (const lowering of [
        { productUpTo: 144, weightGradient: 'im2col' },
        { channelBlock: block },
        { productUpTo: 16, channelBlock: block, weightGradient: 'im2col' },
      ] as const) {
        const { nodes, values } = await outputAndGradients(model, input, target, lowering)
        for (const { domain, operator } of nodes) used.add(`${domain} ${operator}`)
        for (const [name, expected] of reference.values)
          expectTensorClose(values.get(name) ?? [], expected, 1e-5, name)
      }
    }),
    { seed: testSeed(24), numRuns: 30 },
  )
  expect([...used]).toContain('com.microsoft.nchwc Conv')
}, 60_000)

test('of equal maxima, the gradient of a pooling goes to the first in its window', async () => {
  const [height, width] = [4, 6]
  const random = seeded(testSeed(25))
  // Few different pixels, so that most windows have several maxima.
  const pixels = Float32Array.from({ length: height * width }, () => Math.round(random.normal()))
  pixels.fill(Number.NEGATIVE_INFINITY, 0, 2).fill(Number.NEGATIVE_INFINITY, width, width + 2)
  const shape = [1, 1, height, width]
  const attributes = new Map([
    ['kernel_shape', [2, 2]],
    ['strides', [2, 2]],
  ])
  const node = { operator: 'MaxPool', domain: '', name: 'pool', attributes }
  const model: Model = {
    name: 'pooling',
    inputs: [],
    outputs: [{ name: 'output', type: 'float32', shape: [1, 1, 2, 3] }],
    nodes: [{ ...node, inputs: ['image'], outputs: ['output'] }],
    initializers: new Map([['image', { type: 'float32', shape, data: pixels }]]),
    values: new Map(),
    domains: new Map(),
  }
  // The gradient of each mean is its index.
  const loss: Loss = (outputs) => {
    const y = outputs.get('output')
    if (!y) throw new TypeError('there is no output')
    const weights = y.graph.constant({
      type: 'float32',
      shape: [1, 1, 2, 3],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    })
    return reduceSum(mul(y, weights), [0, 1, 2, 3], 'drop')
  }
  const { model: differentiated, parameters } = gradientModel(model, { loss })
  expect(differentiated.nodes.map(({ operator }) => operator)).not.toContain('ScatterElements')
  const results = await (await session(differentiated)).run(feedsOf(parameters))
  const gradient = floats(results, parameters.get('image')?.gradient ?? '')
  const expected = new Float32Array(height * width)
  for (let row = 0; row < 2; row++)
    for (let column = 0; column < 3; column++) {
      const window = [0, 1, width, width + 1].map((i) => 2 * row * width + 2 * column + i)
      const values = window.map((i) => pixels[i] ?? 0)
      expected[window[values.indexOf(Math.max(...values))] ?? 0] = 3 * row + column + 1
    }
  expect([...gradient]).toEqual([...expected])
})
