import { InferenceSession, type Tensor as Values } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { gradientModel } from '../src/gradient-model.ts'
import { writeAttribute } from '../src/model/attribute.ts'
import { type Attribute, elementCount } from '../src/model/model.ts'
import { readModel } from '../src/model/read.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { file, fixture } from './model-file.ts'
import { expectTensorClose, float, floats, integers, session } from './session.ts'

/** Distinct numbers. */
function numbers(shape: readonly number[]): Values {
  return float(
    Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(1.7 * i)),
    shape,
  )
}

test('a model of opset 16 computes the same as opset 21', async () => {
  const bytes = fixture('unet.onnx')
  const before = await InferenceSession.create(bytes, { logSeverityLevel: 3 })
  const after = await session(readModel(bytes))
  const image = float(
    Float32Array.from({ length: 240 }, (_, i) => Math.sin(i)),
    [1, 2, 12, 10],
  )
  const [a, b] = [await after.run({ image }), await before.run({ image })]
  expectTensorClose(floats(a, 'logits'), floats(b, 'logits'), 1e-6)
})

test('older forms of operators are upgraded to opset 21', () => {
  const x = [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [] } } } }]
  const ints = (name: string, values: bigint[]) => [{ name, type: 7, ints: values }]
  const model = readModel(
    file(
      {
        input: x,
        node: [
          { opType: 'ReduceMean', input: ['x'], output: ['m'], attribute: ints('axes', [1n, 2n]) },
          { opType: 'Split', input: ['x'], output: ['a', 'b'] },
          {
            opType: 'BatchNormalization',
            input: ['x', 'm', 'm', 'm', 'm'],
            output: ['y', 'p', 'q', 'r', 's'],
          },
        ],
      },
      { opsetImport: [{ version: 13n }] },
    ),
  )
  const [mean, split, norm] = model.nodes
  expect(mean?.attributes.has('axes')).toBe(false)
  expect(model.initializers.get(mean?.inputs[1] ?? '')).toMatchObject({ shape: [2] })
  expect(split?.attributes.get('num_outputs')).toBe(2)
  expect(norm?.outputs).toEqual(['y', 'p', 'q'])
  expect(norm?.attributes.get('training_mode')).toBe(1)
})

const image = numbers([1, 2, 6, 5])
const boxes = float(Float32Array.of(0.7, 1.2, 4.1, 5.3, 2, 2, 2.4, 2.5), [2, 4])
const olderOperators: readonly (readonly [
  operator: string,
  opset: number,
  attributes: Readonly<Record<string, Attribute>>,
  inputs: readonly Values[],
])[] = [
  ['ReduceL2', 17, { axes: [1, -1], keepdims: 0 }, [image]],
  ['Split', 17, { axis: 1 }, [image]],
  ['RoiAlign', 15, { output_height: 3, output_width: 2 }, [image, boxes, integers([0, 0])]],
  ['GridSample', 16, {}, [image, numbers([1, 3, 4, 2])]],
  ['GridSample', 19, { mode: 'bilinear' }, [image, numbers([1, 3, 4, 2])]],
  ['GridSample', 19, { mode: 'bicubic', align_corners: 1 }, [image, numbers([1, 3, 4, 2])]],
  ['GridSample', 19, { mode: 'nearest' }, [image, numbers([1, 3, 4, 2])]],
  ['DFT', 17, {}, [numbers([2, 6, 5, 1])]],
  ['DFT', 19, { axis: 2, onesided: 1 }, [numbers([2, 6, 5, 1]), integers([4], [])]],
  ['Squeeze', 11, { axes: [0] }, [image]],
  ['Squeeze', 7, {}, [image]],
  ['Unsqueeze', 12, { axes: [0, 3] }, [image]],
  ['ReduceSum', 11, { axes: [1, -1], keepdims: 0 }, [image]],
  ['ReduceSum', 8, {}, [image]],
  ['Split', 11, { axis: 3, split: [2, 3] }, [image]],
  ['Split', 7, { axis: 1 }, [image]],
  ['Softmax', 11, {}, [image]],
  ['Softmax', 8, { axis: 2 }, [image]],
  ['LogSoftmax', 12, { axis: 3 }, [image]],
  ['Hardmax', 11, { axis: 2 }, [image]],
  ['Dropout', 11, { ratio: { float: 0.3 } }, [image]],
  ['Dropout', 7, {}, [image]],
  ['Clip', 10, { min: { float: -0.3 }, max: { float: 0.5 } }, [image]],
  ['Clip', 7, { max: { float: 0.5 } }, [image]],
  ['Pad', 10, { pads: [0, 0, 1, 2, 0, 0, 0, 1], value: { float: 0.7 } }, [image]],
  ['Pad', 8, { pads: [0, 0, 1, 2, 0, 0, 0, 1], mode: 'reflect' }, [image]],
  ['Slice', 9, { starts: [1, -3], ends: [5, 100], axes: [2, 3] }, [image]],
  ['Slice', 7, { starts: [0, 1], ends: [1, 2] }, [image]],
  ['TopK', 9, { k: 2, axis: 3 }, [image]],
  ['Upsample', 8, { scales: { floats: [1, 1, 2, 3] } }, [image]],
  ['Upsample', 9, { mode: 'linear' }, [image, float(Float32Array.of(1, 1, 2, 3), [4])]],
  ['Resize', 10, {}, [image, float(Float32Array.of(1, 1, 2, 3), [4])]],
  ['Resize', 10, { mode: 'linear' }, [image, float(Float32Array.of(1, 1, 2, 3), [4])]],
  ['Scatter', 10, { axis: 3 }, [image, integers([1, 0], [1, 1, 1, 2]), numbers([1, 1, 1, 2])]],
  [
    'BatchNormalization',
    8,
    {},
    [image, ...['γ', 'β', 'μ'].map(() => numbers([2])), float(Float32Array.of(1, 2), [2])],
  ],
]

test.each(olderOperators)('%s of opset %i computes the same as opset 21: %o', async (...one) => {
  const [operator, opset, attributes, inputs] = one
  const named = inputs.map((values, i): [string, Values] => [`x${i}`, values])
  const outputs = ['Split', 'TopK'].includes(operator) ? ['y', 'z'] : ['y']
  const bytes = file(
    {
      name: operator,
      input: named.map(([name, { type, dims }]) => {
        const dim = dims.map(
          (size) => ({ value: { case: 'dimValue', value: BigInt(size) } }) as const,
        )
        return {
          name,
          type: { tensorType: { elemType: type === 'int64' ? 7 : 1, shape: { dim } } },
        }
      }),
      output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
      node: [
        {
          opType: operator,
          input: named.map(([name]) => name),
          output: outputs,
          attribute: Object.entries(attributes).map(([name, value]) => writeAttribute(name, value)),
        },
      ],
    },
    { opsetImport: [{ version: BigInt(opset) }] },
  )
  const before = await InferenceSession.create(bytes, { logSeverityLevel: 3 })
  const after = await session(readModel(bytes))
  const feeds = Object.fromEntries(named)
  expect((await after.run(feeds)).y).toEqual((await before.run(feeds)).y)
})

test('an initializer that an upgrade adds has a unique name', () => {
  const axes = [writeAttribute('axes', [0])]
  const { initializers } = readModel(
    file(
      {
        input: [{ name: 'm/axes' }],
        node: [
          { opType: 'ReduceMean', input: ['m/axes'], output: ['m'], attribute: axes },
          { opType: 'Neg', input: ['m'], output: ['m/axes_'] },
        ],
      },
      { opsetImport: [{ version: 13n }] },
    ),
  )
  expect([...initializers.keys()]).toEqual(['m/axes_1'])
})

test('a batch normalization whose saved statistics are read is rejected', () => {
  const node = [
    {
      opType: 'BatchNormalization',
      input: ['x', 'x', 'x', 'x', 'x'],
      output: ['y', 'p', 'q', 'r', 's'],
    },
    { opType: 'Neg', input: ['s'], output: ['n'] },
  ]
  const bytes = file({ input: [{ name: 'x' }], node }, { opsetImport: [{ version: 13n }] })
  expect(() => readModel(bytes)).toThrow(
    'node "y" (BatchNormalization): its saved statistics, which opset 14 removed, must not be read, but "s" is',
  )
})

test('a group normalization of opset 18, with a scale per group, computes the same and is trained', async () => {
  const dim = (sizes: readonly number[]) =>
    sizes.map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } }))
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: dim(sizes) } } },
  })
  const floatData = [0.5, -2, 1.5, 0.25]
  const bytes = file(
    {
      input: [value('x', [2, 4, 3, 2])],
      output: [value('y', [2, 4, 3, 2])],
      initializer: [
        { name: 'scale', dataType: 1, dims: [2n], floatData: floatData.slice(0, 2) },
        { name: 'bias', dataType: 1, dims: [2n], floatData: floatData.slice(2) },
      ],
      node: [
        {
          opType: 'GroupNormalization',
          input: ['x', 'scale', 'bias'],
          output: ['y'],
          attribute: [writeAttribute('num_groups', 2), writeAttribute('epsilon', { float: 0.1 })],
        },
      ],
    },
    { opsetImport: [{ version: 18n }] },
  )
  const model = readModel(bytes)
  const x = numbers([2, 4, 3, 2])
  const before = await InferenceSession.create(bytes, { logSeverityLevel: 3 })
  const [a, b] = [await (await session(model)).run({ x }), await before.run({ x })]
  expectTensorClose(floats(a, 'y'), floats(b, 'y'), 1e-5)
  const { parameters } = gradientModel(model, { loss: meanSquaredError() })
  expect([...parameters.keys()].toSorted()).toEqual(['bias', 'scale'])
})

test('operands of opset 6 are broadcast from an axis of the first on', async () => {
  const value = (name: string, sizes: readonly number[]) => ({
    name,
    type: {
      tensorType: {
        elemType: 1,
        shape: {
          dim: sizes.map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } })),
        },
      },
    },
  })
  const model = readModel(
    file(
      {
        input: [value('x', [1, 2, 2])],
        output: [value('y', [1, 2, 2])],
        initializer: [{ name: 'b', dataType: 1, dims: [2n], floatData: [10, 20] }],
        node: [
          {
            opType: 'Mul',
            input: ['x', 'b'],
            output: ['m'],
            attribute: [writeAttribute('broadcast', 1), writeAttribute('axis', 1)],
          },
          { opType: 'PRelu', input: ['m', 'b'], output: ['y'] },
        ],
      },
      { opsetImport: [{ version: 6n }] },
    ),
  )
  const { model: gradient, parameters } = gradientModel(model, { loss: meanSquaredError() })
  const x = float(Float32Array.of(1, -2, 3, -4), [1, 2, 2])
  const b = float(Float32Array.of(10, 20), [2])
  const results = await (await session(gradient)).run({ x, target: x, b })
  expect([...floats(results, 'y')]).toEqual([10, -200, 60, -1600])
  expect([...parameters.keys()]).toEqual(['b'])
})
