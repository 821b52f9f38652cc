import { fromBinary, isMessage, toBinary } from '@bufbuild/protobuf'
import { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { writeAttribute } from '../src/model/attribute.ts'
import type { Model, Tensor } from '../src/model/model.ts'
import { type ModelProto, ModelProtoSchema } from '../src/model/onnx_pb.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { file, fixture, type TensorFields } from './model-file.ts'

function tensor(bytes: Uint8Array, external?: (location: string) => Uint8Array): Tensor {
  const found = readModel(bytes, external).initializers.get('w')
  if (found === undefined || found.type === 'opaque') throw new TypeError('w must be a tensor')
  return found
}

const initializer = (fields: TensorFields): Uint8Array =>
  file({ initializer: [{ name: 'w', ...fields }] })

const encodings: readonly (readonly [name: string, fields: TensorFields, elements: number[]])[] = [
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

test.each(encodings)('an initializer is read: %s', (_name, fields, elements) => {
  expect(Array.from(tensor(initializer(fields)).data, Number)).toEqual(elements)
})

test('half precision becomes float32 in inputs and type attributes', () => {
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

test('external data is read at its offset', () => {
  const external = [
    { key: 'location', value: 'weights.bin' },
    { key: 'offset', value: '4' },
    { key: 'length', value: '8' },
  ]
  const bytes = initializer({ dataType: 1, dims: [2n], dataLocation: 1, externalData: external })
  const weights = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer)
  expect([...tensor(bytes, () => weights).data]).toEqual([1, 2])
  expect(() => readModel(bytes)).toThrow('external data "weights.bin": must be passed to readModel')
  expect(() => readModel(bytes, () => new Uint8Array(8))).toThrow(
    'tensor "w": "weights.bin" has 8 bytes, but the tensor needs 8 at offset 4',
  )
})

test('unknown fields are written back', () => {
  const unknown = { no: 99, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) }
  const message = fromBinary(ModelProtoSchema, fixture('mobile.onnx'))
  const marked: ModelProto = message
  marked.$unknown = [...(marked.$unknown ?? []), unknown]
  for (const message of [
    marked.graph,
    marked.graph?.node[3],
    marked.graph?.initializer[1],
    marked.graph?.input[0],
  ])
    if (message) message.$unknown = [...(message.$unknown ?? []), unknown]
  const model = fromBinary(
    ModelProtoSchema,
    writeModel(readModel(toBinary(ModelProtoSchema, marked))),
  )
  const { graph } = model
  for (const message of [model, graph, graph?.node[3], graph?.initializer[1], graph?.input[0]])
    expect(message?.$unknown).toContainEqual(unknown)
})

test('reading a written model returns the same model', () => {
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

test('nodes may be in any order', () => {
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

const allBits = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
const halves = (dataType: number): TensorFields => ({
  dataType,
  dims: [2n ** 16n],
  rawData: new Uint8Array(allBits.slice().buffer),
})
const widened = (dataType: number): ArrayLike<unknown> => tensor(initializer(halves(dataType))).data

test('every float16 is read as ONNX Runtime casts it', async () => {
  const shape = { dim: [{ value: { case: 'dimValue' as const, value: 65536n } }] }
  const cast = file({
    initializer: [{ name: 'x', ...halves(10) }],
    node: [{ opType: 'Cast', input: ['x'], output: ['y'], attribute: [writeAttribute('to', 1)] }],
    output: [{ name: 'y', type: { tensorType: { elemType: 1, shape } } }],
  })
  const session = await InferenceSession.create(cast)
  const { y } = await session.run({})
  expect(widened(10)).toEqual(y?.data)
  await session.release()
})

test('every bfloat16 is read as the upper half of a float32', () => {
  const float32 = new Float32Array(Uint32Array.from(allBits, (bits) => bits * 2 ** 16).buffer)
  expect(widened(16)).toEqual(float32)
})
