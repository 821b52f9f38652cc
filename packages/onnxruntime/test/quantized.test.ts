import { adam } from '@diffgrad/core'
import {
  crossEntropy,
  type Model,
  type Node,
  readModel,
  seeded,
  type Tensor,
  writeModel,
} from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'

const node = (
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Node['attributes'] = new Map(),
): Node => ({ operator, domain: '', name: outputs[0], inputs, outputs, attributes })

const random = seeded(3)
const weights = Int8Array.from({ length: 64 }, () => Math.round(100 * random.normal()) % 128)
const head = Float32Array.from({ length: 24 }, () => 0.3 * random.normal())

/** A frozen quantized layer, 8 → 8, and a head of three classes in float32. */
const quantizedModel = (layer: readonly Node[], more: Readonly<Record<string, Tensor>>): Model => ({
  name: 'quantized',
  inputs: [{ name: 'x', type: 'float32', shape: ['batch', 8] }],
  outputs: [{ name: 'y', type: 'float32', shape: ['batch', 3] }],
  nodes: [...layer, node('Relu', ['h'], ['a']), node('MatMul', ['a', 'head'], ['y'])],
  initializers: new Map<string, Tensor>([
    ['wq', { type: 'int8', shape: [8, 8], data: weights }],
    ['wz', { type: 'int8', shape: [], data: Int8Array.of(0) }],
    ['ws', { type: 'float32', shape: [], data: Float32Array.of(0.01) }],
    ['head', { type: 'float32', shape: [8, 3], data: head }],
    ...Object.entries(more),
  ]),
  values: new Map(),
  domains: new Map([['com.microsoft', 1]]),
})

const quantized = [
  node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
  node('Mul', ['xs', 'ws'], ['s']),
  node('Cast', ['i'], ['f'], new Map([['to', 1]])),
]

/** One scale for each output. */
const scales: Tensor<'float32'> = {
  type: 'float32',
  shape: [8],
  data: Float32Array.from({ length: 8 }, (_, i) => 0.006 + 0.001 * i),
}

const shape = (...sizes: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [sizes.length],
  data: BigInt64Array.from(sizes, BigInt),
})

const layers: Readonly<Record<string, Model>> = {
  'weights alone': quantizedModel(
    [node('DequantizeLinear', ['wq', 'ws', 'wz'], ['w']), node('MatMul', ['x', 'w'], ['h'])],
    {},
  ),
  'weights and inputs': quantizedModel(
    [
      node('QuantizeLinear', ['x', 'xs', 'xz'], ['xq']),
      node('DequantizeLinear', ['xq', 'xs', 'xz'], ['xd']),
      node('DequantizeLinear', ['wq', 'ws', 'wz'], ['w']),
      node('MatMul', ['xd', 'w'], ['h']),
    ],
    {
      xs: { type: 'float32', shape: [], data: Float32Array.of(0.02) },
      xz: { type: 'uint8', shape: [], data: Uint8Array.of(128) },
    },
  ),
  'weights with a scale for each output': quantizedModel(
    [
      node('DequantizeLinear', ['wq', 'scales'], ['w'], new Map([['axis', 1]])),
      node('MatMul', ['x', 'w'], ['h']),
    ],
    { scales },
  ),
  'convolution of integers': quantizedModel(
    [
      ...quantized.slice(0, 2),
      node('Reshape', ['xq', 'image'], ['xi']),
      node('Reshape', ['wq', 'kernel'], ['wi']),
      node('ConvInteger', ['xi', 'wi', 'xz'], ['i']),
      ...quantized.slice(2),
      node('Reshape', ['f', 'flat'], ['g']),
      node('Mul', ['g', 's'], ['h']),
    ],
    { image: shape(16, 1, 2, 4), kernel: shape(8, 1, 2, 4), flat: shape(16, 8) },
  ),
  'weights of four bits': quantizedModel(
    [
      {
        ...node(
          'MatMulNBits',
          ['x', 'packed', 'scales'],
          ['h'],
          new Map([
            ['K', 8],
            ['N', 8],
            ['bits', 4],
            ['block_size', 16],
          ]),
        ),
        domain: 'com.microsoft',
      },
    ],
    {
      packed: { type: 'uint8', shape: [8, 1, 8], data: new Uint8Array(weights) },
      scales: { ...scales, data: scales.data.map((scale) => 16 * scale) },
    },
  ),
  'inputs quantized with the product': quantizedModel(
    [
      {
        ...node('DynamicQuantizeMatMul', ['x', 'wq', 'scales'], ['h']),
        domain: 'com.microsoft',
      },
    ],
    { scales },
  ),
  'products of integers': quantizedModel(
    [
      node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
      node('MatMulInteger', ['xq', 'wq', 'xz', 'wz'], ['i']),
      node('Cast', ['i'], ['f'], new Map([['to', 1]])),
      node('Mul', ['xs', 'ws'], ['s']),
      node('Mul', ['f', 's'], ['h']),
    ],
    {},
  ),
}

/** Trains all float32 weights for 60 steps. */
async function train(model: Model) {
  const trainer = await Trainer.create(ort, writeModel(model), {
    loss: crossEntropy(),
    optimizer: { rule: adam, learningRate: 0.05 },
    dimensions: { batch: 16 },
  })
  const x = Float32Array.from({ length: 128 }, (_, i) => Math.sin(1.3 * i))
  const target = Array.from({ length: 16 }, (_, i) =>
    x[8 * i] > 0.3 ? 0 : x[8 * i] > -0.3 ? 1 : 2,
  )
  const losses: number[] = []
  for (let t = 0; t < 60; t++) losses.push((await trainer.step({ x, target })).loss)
  return { trainer, losses }
}

test.each(Object.entries(layers))(
  'a head trains on a frozen quantized layer: %s',
  async (_, model) => {
    const { trainer, losses } = await train(model)
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0])
    const exported = readModel(await trainer.export()).initializers
    expect(exported.get('wq')).toEqual(model.initializers.get('wq'))
    expect(exported.get('head')).not.toEqual(model.initializers.get('head'))
    await trainer.dispose()
  },
)

test('a model that ONNX Runtime’s optimizer wrote trains, and keeps its operators', async () => {
  const fused = (...args: Parameters<typeof node>): Node => ({
    ...node(...args),
    domain: 'com.microsoft',
  })
  const vector = (value: number): Tensor => ({
    type: 'float32',
    shape: [8],
    data: new Float32Array(8).fill(value),
  })
  const model = quantizedModel(
    [
      fused('FusedMatMul', ['x', 'w1'], ['m'], new Map([['transB', 1]])),
      fused('BiasGelu', ['m', 'bias'], ['b']),
      fused('SkipLayerNormalization', ['b', 'x', 'gamma', 'beta'], ['n']),
      fused('Gelu', ['n'], ['h']),
    ],
    {
      w1: { type: 'float32', shape: [8, 8], data: Float32Array.from(weights, (w) => w / 200) },
      bias: vector(0),
      gamma: vector(1),
      beta: vector(0),
    },
  )
  const { trainer, losses } = await train(model)
  expect(losses.at(-1)).toBeLessThan(0.5 * losses[0])
  const exported = readModel(await trainer.export())
  expect(exported.nodes.map(({ operator }) => operator).slice(0, 4)).toEqual(
    model.nodes.map(({ operator }) => operator).slice(0, 4),
  )
  for (const name of ['w1', 'bias', 'gamma', 'beta'])
    expect(exported.initializers.get(name)).not.toEqual(model.initializers.get(name))
  await trainer.dispose()
})

test('an operator of ONNX Runtime’s optimizer without a rule says which file to use', async () => {
  const model = quantizedModel([{ ...node('Unknown', ['x'], ['h']), domain: 'com.microsoft' }], {})
  const trainer = Trainer.create(
    ort,
    { ...model, domains: new Map([['com.microsoft', 1]]) },
    {
      loss: crossEntropy(),
      optimizer: { rule: adam },
      dimensions: { batch: 16 },
    },
  )
  await expect(trainer).rejects.toThrow(
    'node "h" (com.microsoft.Unknown): the operator has no shape rule, and the model does not declare the shapes of its outputs; ONNX Runtime’s optimizer wrote it: use the file from before optimization',
  )
})
