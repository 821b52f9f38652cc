import { fromBinary, isMessage, toBinary } from '@bufbuild/protobuf'
import { InferenceSession, type Tensor as Values } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { writeAttribute } from '../src/model/attribute.ts'
import type { Attribute, Model, Tensor } from '../src/model/model.ts'
import { type ModelProto, ModelProtoSchema } from '../src/model/onnx_pb.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { file, fixture, type TensorParts } from './model-file.ts'
import { expectTensorClose, float, floats, integers, session } from './session.ts'

function tensor(bytes: Uint8Array, external?: (location: string) => Uint8Array): Tensor {
  const found = readModel(bytes, external).initializers.get('w')
  if (found === undefined || found.type === 'opaque') throw new TypeError('w must be a tensor')
  return found
}

/** Numbers of which no two are alike. */
function numbers(shape: readonly number[]): Values {
  const count = shape.reduce((product, size) => product * size, 1)
  return float(
    Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i)),
    shape,
  )
}

const initializer = (parts: TensorParts): Uint8Array =>
  file({ initializer: [{ name: 'w', ...parts }] })

const stored: readonly (readonly [name: string, parts: TensorParts, elements: number[]])[] = [
  [
    'float32, raw',
    { dataType: 1, dims: [2n], rawData: Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192) },
    [1, -2],
  ],
  ['float32, typed', { dataType: 1, dims: [2n], floatData: [1, -2] }, [1, -2]],
  ['int64, typed', { dataType: 7, dims: [2n], int64Data: [5n, -6n] }, [5, -6]],
  ['int32, typed', { dataType: 6, dims: [1n], int32Data: [-6] }, [-6]],
  ['bool, typed', { dataType: 9, dims: [2n], int32Data: [1, 0] }, [1, 0]],
  ['uint8, typed', { dataType: 2, dims: [1n], int32Data: [200] }, [200]],
  ['float64, typed', { dataType: 11, dims: [1n], doubleData: [0.1] }, [0.1]],
  ['uint64, typed', { dataType: 13, dims: [1n], uint64Data: [7n] }, [7]],
  ['a scalar', { dataType: 1, floatData: [3] }, [3]],
  [
    'float16, raw',
    {
      dataType: 10,
      dims: [5n],
      rawData: new Uint8Array(Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7bff, 0x7c00).buffer),
    },
    [1, -2.5, 2 ** -24, 65504, Number.POSITIVE_INFINITY],
  ],
  [
    'float16, typed',
    { dataType: 10, dims: [2n], int32Data: [0x3555, 0x8000] },
    [0.333251953125, -0],
  ],
  [
    'bfloat16, raw',
    {
      dataType: 16,
      dims: [3n],
      rawData: new Uint8Array(Uint16Array.of(0x3f80, 0xc020, 0x7f80).buffer),
    },
    [1, -2.5, Number.POSITIVE_INFINITY],
  ],
]

test.each(stored)('an initializer is read: %s', (_name, parts, elements) => {
  expect(Array.from(tensor(initializer(parts)).data, Number)).toEqual(elements)
})

test('half precision is widened everywhere: weights, inputs, casts and windows', () => {
  const float16 = { tensorType: { elemType: 10, shape: { dim: [] } } }
  const model = readModel(
    file({
      input: [{ name: 'x', type: float16 }],
      node: [
        { opType: 'Cast', input: ['x'], output: ['y'], attribute: [writeAttribute('to', 10)] },
        {
          opType: 'HannWindow',
          input: ['n'],
          output: ['w'],
          attribute: [writeAttribute('output_datatype', 16)],
        },
      ],
      initializer: [{ name: 'n', dataType: 7, int64Data: [5n] }],
    }),
  )
  expect(model.inputs[0]?.type).toBe('float32')
  expect(model.nodes[0]?.attributes.get('to')).toBe(1)
  expect(model.nodes[1]?.attributes.get('output_datatype')).toBe(1)
})

test('external data is read from its place', () => {
  const external = [
    { key: 'location', value: 'weights.bin' },
    { key: 'offset', value: '4' },
    { key: 'length', value: '8' },
  ]
  const bytes = initializer({ dataType: 1, dims: [2n], dataLocation: 1, externalData: external })
  const weights = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer)
  expect([...tensor(bytes, () => weights).data]).toEqual([1, 2])
  expect(() => readModel(bytes)).toThrow('external data "weights.bin": its bytes must be given')
  expect(() => readModel(bytes, () => new Uint8Array(8))).toThrow(
    'tensor "w": "weights.bin" has 8 bytes, but 8 at 4 are asked for',
  )
})

test('what reading does not understand is written back', () => {
  const unknown = { no: 99, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) }
  const message = fromBinary(ModelProtoSchema, fixture('mobile.onnx'))
  const marked: ModelProto = message
  marked.$unknown = [...(marked.$unknown ?? []), unknown]
  for (const part of [
    marked.graph,
    marked.graph?.node[3],
    marked.graph?.initializer[1],
    marked.graph?.input[0],
  ])
    if (part) part.$unknown = [...(part.$unknown ?? []), unknown]
  const model = fromBinary(
    ModelProtoSchema,
    writeModel(readModel(toBinary(ModelProtoSchema, marked))),
  )
  const { graph } = model
  for (const part of [model, graph, graph?.node[3], graph?.initializer[1], graph?.input[0]])
    expect(part?.$unknown).toContainEqual(unknown)
})

test('reading what was written changes nothing', () => {
  const plain = ({ nodes, inputs, outputs, initializers, message }: Model) => ({
    nodes: nodes.map(({ message: _, ...node }) => node),
    inputs: inputs.map(({ message: _, ...value }) => value),
    outputs: outputs.map(({ message: _, ...value }) => value),
    initializers,
    producer: isMessage(message, ModelProtoSchema) && message.producerName,
  })
  for (const name of ['mobile.onnx', 'unet.onnx', 'bert.onnx']) {
    const once = readModel(fixture(name), fixture)
    expect(plain(readModel(writeModel(once)))).toEqual(plain(once))
  }
})

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

test('older forms of operators are brought up to opset 21', () => {
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
const older: readonly (readonly [
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
]

test.each(older)('%s of opset %i computes the same as opset 21: %o', async (...parts) => {
  const [operator, opset, attributes, inputs] = parts
  const named = inputs.map((values, i): [string, Values] => [`x${i}`, values])
  const outputs = operator === 'Split' ? ['y', 'z'] : ['y']
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

test('what an upgrade adds has a name of its own', () => {
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
  expect([...initializers.keys()]).toEqual(['m/axes__'])
})

test('a batch normalization is refused whose saved statistics are read', () => {
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
    'node "y" (BatchNormalization): its saved statistics, which opset 14 gave up, must not be read, but "s" is',
  )
})

test('group normalization is refused in the form that opset 21 gave up', () => {
  const node = { opType: 'GroupNormalization', input: ['x', 'x', 'x'], output: ['y'] }
  const bytes = file({ input: [{ name: 'x' }], node: [node] }, { opsetImport: [{ version: 18n }] })
  expect(() => readModel(bytes)).toThrow(
    'node "y" (GroupNormalization): must be of opset 21, where scale and bias are given for each channel',
  )
})

test('nodes may stand in any order', () => {
  const model = readModel(
    file({
      input: [{ name: 'x' }],
      node: [
        { opType: 'Relu', input: ['b'], output: ['c'] },
        { opType: 'Exp', input: ['x'], output: ['a'] },
        { opType: 'Neg', input: ['a'], output: ['b'] },
      ],
    }),
  )
  expect(model.nodes.map(({ operator }) => operator)).toEqual(['Exp', 'Neg', 'Relu'])
})
