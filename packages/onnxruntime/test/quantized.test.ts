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
  domains: new Map(),
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

test.each(Object.entries(layers))(
  'a head trains on a frozen quantized layer: %s',
  async (_, model) => {
    const bytes = writeModel(model)
    const trainer = await Trainer.create(ort, bytes, {
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
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0])
    const exported = readModel(await trainer.export()).initializers
    expect(exported.get('wq')).toEqual(model.initializers.get('wq'))
    expect(exported.get('head')).not.toEqual(model.initializers.get('head'))
    await trainer.dispose()
  },
)

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
