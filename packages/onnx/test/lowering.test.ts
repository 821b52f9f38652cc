import { testSeed } from '@diffgrad/testing/seed'
import { Tensor } from 'onnxruntime-node'
import { beforeAll, expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { type Lowering, referenceLowering } from '../src/ir/lowering.ts'
import { elementCount, type Model } from '../src/model/model.ts'
import { seeded } from '../src/nn/initializers.ts'
import { buildModel, sequential } from '../src/nn/layer.ts'
import { batchNorm, conv, globalAveragePool, linear, maxPool, relu } from '../src/nn/layers.ts'
import {
  crossEntropy,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  selectOutput,
} from '../src/nn/losses.ts'
import { mul, reduceSum } from '../src/ops/builders.ts'
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
    conv(16, { stride: 2, bias: true }),
    conv(32, { stride: 2 }),
    conv(16),
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
const labels = Array.from({ length: batch }, (_, i) => i % 4)
const targets = {
  standard: integers(labels),
  plain: new Tensor('int32', Int32Array.from(labels), [batch]),
} as const

interface LoweredModel {
  readonly model: Model
  readonly gradients: ReadonlyMap<string, Float32Array>
}

async function computeGradients(lowering: Partial<Lowering>): Promise<LoweredModel> {
  const options = { loss: crossEntropy(), dimensions: { batch }, lowering }
  const { model, parameters, statistics } = gradientModel(network, options)
  const state = feedsOf([...parameters, ...statistics])
  const target = targets[lowering.operators ?? 'standard']
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

const count = ({ nodes }: Model, operator: string): number =>
  nodes.filter((node) => node.operator === operator).length

/** An operator that occurs more or less often than in the reference shows that a lowering was applied. */
const lowerings: readonly (readonly [Partial<Lowering>, string, 'more' | 'fewer' | 'none'])[] = [
  [{ ...referenceLowering, weightGradient: 'im2col' }, 'Gather', 'more'],
  [{ ...referenceLowering, weightGradient: 'slices' }, 'Conv', 'fewer'],
  [{ ...referenceLowering, weightGradient: 'taps' }, 'Conv', 'fewer'],
  [{ ...referenceLowering, imageGradient: 'flipped' }, 'ConvTranspose', 'fewer'],
  [{ ...referenceLowering, productUpTo: 16 }, 'Conv', 'fewer'],
  [{ ...referenceLowering, operators: 'plain' }, 'MaxPool', 'none'],
  [{ ...referenceLowering, operators: 'plain' }, 'BatchNormalization', 'none'],
  [{ ...referenceLowering, imageGradient: 'adaptive' }, 'ConvTranspose', 'fewer'],
  [{ ...referenceLowering, imageGradient: 'adaptive', productUpTo: 49 }, 'ConvTranspose', 'none'],
  [{}, 'Gemm', 'more'],
]

test.each(lowerings)('the lowering %o changes no gradient', async (lowering, operator, change) => {
  const { model, gradients } = await computeGradients(lowering)
  const [lowered, usual] = [count(model, operator), count(reference.model, operator)]
  expect({ none: lowered === 0, more: lowered > usual, fewer: lowered < usual }[change]).toBe(true)
  for (const [name, gradient] of reference.gradients)
    expectTensorClose(gradients.get(name) ?? [], gradient, 1e-5, name)
})

test.each([
  ['MaxPool', [1, 1, 6, 4], { kernel_shape: [3, 1], strides: [3, 2], auto_pad: 'VALID' }],
  [
    'AveragePool',
    [2, 3, 8],
    { kernel_shape: [3], strides: [3], pads: [0, 2], count_include_pad: 1 },
  ],
  ['AveragePool', [2, 1, 4, 7], { kernel_shape: [2, 2], strides: [1, 2], pads: [1, 1, 1, 1] }],
  ['MaxPool', [1, 1, 5], { kernel_shape: [2], strides: [3], pads: [0, 1] }],
  ['MaxPool', [1, 1, 8], { kernel_shape: [1], strides: [2] }],
] as const)(
  '%s of %o leaves out a last window that would begin in the padding: %o',
  async (operator, shape, attributes) => {
    const forward: Model = {
      name: 'pool',
      inputs: [{ name: 'x', type: 'float32', shape }],
      outputs: [{ name: 'y', type: 'float32', shape: undefined }],
      nodes: [
        {
          operator,
          domain: '',
          name: 'n',
          inputs: ['x'],
          outputs: ['y'],
          attributes: new Map(Object.entries({ ...attributes, ceil_mode: 1 })),
        },
      ],
      initializers: new Map(),
      values: new Map(),
      domains: new Map(),
    }
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(7.3 * i))
    const { y } = await (await session(forward)).run({ x: float(data, shape) })
    const parameter = { type: 'float32', shape, data } as const
    const trained = { ...forward, inputs: [], initializers: new Map([['x', parameter]]) }
    const { model, loss, parameters } = gradientModel(trained, { loss: meanSquaredError() })
    const pooled = y?.data as Float32Array
    const target = float(new Float32Array(pooled.length), y?.dims ?? [])
    // Its session is not created if the sizes that ONNX Runtime infers disagree.
    const results = await (await session(model)).run({ x: float(data, shape), target })
    expect(floats(results, 'y')).toEqual(pooled)
    // The loss is homogeneous of degree 2: x · ∂loss/∂x = 2 · loss.
    const gradient = floats(results, parameters.get('x')?.gradient ?? '')
    const product = data.reduce((sum, v, i) => sum + v * (gradient[i] ?? 0), 0)
    expect(product).toBeCloseTo(2 * (floats(results, loss)[0] ?? 0), 5)
  },
)

test('gradients that are constants keep the names of their outputs', async () => {
  const float32 = (name: string) => ({
    type: 'float32' as const,
    shape: [3],
    data: Float32Array.of(1, 2, name.length),
  })
  const forward: Model = {
    name: 'sum',
    inputs: [],
    outputs: [{ name: 'sum', type: 'float32', shape: [3] }],
    nodes: [
      {
        operator: 'Add',
        domain: '',
        name: 'add',
        inputs: ['x', 'y'],
        outputs: ['sum'],
        attributes: new Map(),
      },
    ],
    initializers: new Map(['x', 'y'].map((name) => [name, float32(name)])),
    values: new Map(),
    domains: new Map(),
  }
  const { model, parameters } = gradientModel(forward, {
    loss: (outputs) => {
      const sum = selectOutput(outputs)
      return reduceSum(mul(sum, sum.graph.constant(float32('weights'))), [0], 'drop')
    },
  })
  const results = await (await session(model)).run(feedsOf(parameters))
  for (const { gradient } of parameters.values())
    expect([...floats(results, gradient)]).toEqual([1, 2, 7])
})

test.each([meanAbsoluteError(), huber()])(
  'in plain operators, a loss of |y − t| needs no Sign',
  async (loss) => {
    const model = buildModel(linear(3), { shape: ['batch', 2], seed: testSeed(13) })
    const values = Float32Array.from({ length: 24 }, () => 3 * random.normal())
    const feeds = {
      input: float(values.slice(0, 8), [4, 2]),
      target: float(values.slice(8, 20), [4, 3]),
    }
    const gradientsIn = async (operators: Lowering['operators']) => {
      const built = gradientModel(model, {
        loss,
        dimensions: { batch: 4 },
        lowering: { operators },
      })
      const running = await session(built.model)
      const results = await running.run({ ...feeds, ...feedsOf(built.parameters) })
      return {
        signs: count(built.model, 'Sign'),
        gradients: [...built.parameters.values()].map(({ gradient }) => [
          ...floats(results, gradient),
        ]),
      }
    }
    const [standard, plain] = [await gradientsIn('standard'), await gradientsIn('plain')]
    expect([standard.signs, plain.signs]).toEqual([1, 0])
    expect(plain.gradients).toEqual(standard.gradients)
  },
)
