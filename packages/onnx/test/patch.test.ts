import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { inferenceModel, type Model, readModel, type Tensor, writeModel } from '../src/index.ts'
import { float16 } from '../src/model/data-type.ts'
import { type ModelProto, ModelProtoSchema } from '../src/model/onnx_pb.ts'
import { file, fixture, type GraphFields } from './model-file.ts'

const parse = (bytes: Uint8Array): ModelProto =>
  fromBinary(ModelProtoSchema, Uint8Array.from(bytes))

/** A model with another value for every element of some weights. */
function trained(model: Model, change: (x: number) => number, names?: readonly string[]): Model {
  const initializers = new Map(model.initializers)
  for (const [name, tensor] of model.initializers)
    if (tensor.type === 'float32' && (names ?? [name]).includes(name)) {
      const data = (tensor as Tensor<'float32'>).data.map(change)
      initializers.set(name, { ...tensor, data })
    }
  return { ...model, initializers }
}

test.each([
  'vit.onnx',
  'unet.onnx',
  'mobile.onnx',
  'custom_mid.onnx',
  'fp16.onnx',
  'fp16_cast.onnx',
])('%s comes back as it came', (name) => {
  const bytes = fixture(name)
  const written = writeModel(readModel(bytes))
  expect(parse(written)).toEqual(parse(bytes))
})

test('a model with external weights comes back with its file, trained or not', () => {
  const [bytes, weights] = [fixture('bert.onnx'), fixture('bert.onnx_data')]
  const model = readModel(bytes, () => weights)
  const files = new Map<string, Uint8Array>()
  const written = writeModel(model, (location, data) => files.set(location, data))
  expect([...files.keys()]).toEqual(['bert.onnx_data'])
  expect(Buffer.compare(files.get('bert.onnx_data') ?? new Uint8Array(), weights)).toBe(0)
  expect(written.length).toBeLessThan(bytes.length + 200)

  const changed = trained(model, (x) => x + 1)
  const other = writeModel(changed, (location, data) => files.set(location, data))
  const read = readModel(other, (location) => files.get(location) ?? new Uint8Array())
  expect(read.initializers).toEqual(changed.initializers)
  // Without a receiver of the files, the weights lie in the model.
  expect(readModel(writeModel(changed)).initializers).toEqual(changed.initializers)
})

test.each(['fp16.onnx', 'fp16_cast.onnx'])('trained, %s keeps its half precision', async (name) => {
  const bytes = fixture(name)
  const written = writeModel(trained(readModel(bytes), (x) => 2 * x + 1e-5))
  const [before, after] = [parse(bytes), parse(written)]
  expect(after.irVersion).toBe(before.irVersion)
  expect(after.opsetImport).toEqual(before.opsetImport)
  expect(after.graph?.node).toEqual(before.graph?.node)
  expect(after.graph?.input).toEqual(before.graph?.input)
  expect(after.graph?.initializer.map(({ dataType }) => dataType)).toEqual([float16, float16])
  expect(after.graph?.initializer).not.toEqual(before.graph?.initializer)
  const session = await InferenceSession.create(written, { logSeverityLevel: 3 })
  expect(session.outputMetadata).toMatchObject([
    { name: 'y', type: name === 'fp16.onnx' ? 'float16' : 'float32' },
  ])
  await session.release()
})

test('a weight rounds to the nearest half, to even halfway, and must be in its range', () => {
  const read = (dataType: number, values: readonly number[]): Model => {
    const bytes = file({
      initializer: [
        { name: 'w', dataType, dims: [BigInt(values.length)], int32Data: values.map(() => 0) },
      ],
    })
    const model = readModel(bytes)
    const data = Float32Array.from(values)
    return {
      ...model,
      initializers: new Map([['w', { type: 'float32', shape: [data.length], data }]]),
    }
  }
  const bits = (dataType: number, values: readonly number[]): number[] => {
    const tensor = parse(writeModel(read(dataType, values))).graph?.initializer[0]
    const raw = Uint8Array.from(tensor?.rawData ?? [])
    return [...new Uint16Array(raw.buffer)]
  }
  // Of IEEE 754 binary16: 1 + 2⁻¹¹ is halfway between 0x3c00 and 0x3c01, 1 + 3·2⁻¹¹ between 1 and 2.
  expect(
    bits(10, [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, -(2 ** -24), 2 ** -25, -0, 6e-8]),
  ).toEqual([0x3c00, 0x3c02, 0x7bff, 0x8001, 0, 0x8000, 1])
  expect(bits(10, [Number.POSITIVE_INFINITY, Number.NaN])).toEqual([0x7c00, 0x7e00])
  expect(bits(16, [1 + 2 ** -8, 1 + 3 * 2 ** -8, -2.5])).toEqual([0x3f80, 0x3f82, 0xc020])
  expect(() => writeModel(read(10, [1, 70000]))).toThrow(
    'tensor "w": must be in the range of float16, but element 1 is 70000',
  )
  expect(() => writeModel(read(16, [3.4e38]))).toThrow(
    'tensor "w": must be in the range of bfloat16',
  )
})

test('every half keeps its bits when another weight changes', () => {
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter(
    (i) => (i & 0x7fff) <= 0x7c00,
  )
  const rawData = new Uint8Array(halves.buffer)
  const bytes = file({
    initializer: [{ name: 'w', dataType: 10, dims: [BigInt(halves.length)], rawData }],
  })
  // One element changes, so that all are written again.
  const model = trained(readModel(bytes), (x) => (x === 1 ? 2 : x))
  const raw = Uint8Array.from(parse(writeModel(model)).graph?.initializer[0]?.rawData ?? [])
  const written = new Uint16Array(raw.buffer)
  const wrong = [...halves].filter((bits, i) => written[i] !== (bits === 0x3c00 ? 0x4000 : bits))
  expect(wrong).toEqual([])
})

/** A batch normalization in the training mode of opset 13 or 14, and unknown fields of the model. */
const training = (version: bigint, node: object): Uint8Array =>
  file(
    {
      input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }],
      output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
      node: [{ name: 'n', opType: 'BatchNormalization', input: [...'xsbmv'], ...node }],
      initializer: [...'sbmv'].map((name) => ({ name, dataType: 1, dims: [1n], floatData: [1] })),
    },
    {
      irVersion: 7n,
      opsetImport: [{ domain: '', version }],
      metadataProps: [{ key: 'author', value: 'me' }],
    },
  )

test.each([
  [13n, { output: ['y', 'm2', 'v2', 'm3', 'v3'] }],
  [14n, { output: ['y', 'm2', 'v2'], attribute: [{ name: 'training_mode', type: 2, i: 1n }] }],
])('a model in training mode comes back in evaluation mode, in its opset %i', (version, node) => {
  const model = readModel(training(version, node))
  const { graph, opsetImport, irVersion, metadataProps } = parse(writeModel(inferenceModel(model)))
  expect(graph?.node).toMatchObject([{ input: [...'xsbmv'], output: ['y'], attribute: [] }])
  expect([irVersion, opsetImport[0]?.version]).toEqual([7n, version])
  expect(metadataProps).toMatchObject([{ key: 'author', value: 'me' }])
  expect(graph?.initializer[0]?.floatData).toEqual([1])
})

/** Operators of opset 10 whose attributes became inputs, around a product with a weight. */
const old = (weight: GraphFields): Uint8Array =>
  file(
    {
      input: [{ name: 'x', type: { tensorType: { elemType: 1 } } }],
      output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
      ...weight,
      node: [
        ...(weight.node ?? []),
        {
          opType: 'Clip',
          input: ['x'],
          output: ['c'],
          attribute: [{ name: 'max', type: 1, f: 6 }],
        },
        {
          opType: 'Dropout',
          input: ['c'],
          output: ['d'],
          attribute: [{ name: 'ratio', type: 1, f: 0.5 }],
        },
        { opType: 'MatMul', input: ['d', 'w'], output: ['y'] },
      ],
    },
    { irVersion: 5n, opsetImport: [{ domain: '', version: 10n }] },
  )

test('an old file comes back in its opset, trained', () => {
  const bytes = old({
    initializer: [{ name: 'w', dataType: 1, dims: [2n, 1n], floatData: [1, 2] }],
  })
  const model = inferenceModel(readModel(bytes))
  expect(model.initializers.size).toBeGreaterThan(1)
  expect(parse(writeModel(model))).toEqual(parse(bytes))
  const written = parse(writeModel(trained(model, (x) => 2 * x, ['w'])))
  expect(written.graph?.node).toEqual(parse(bytes).graph?.node)
  const raw = Uint8Array.from(written.graph?.initializer[0]?.rawData ?? [])
  expect([...new Float32Array(raw.buffer)]).toEqual([2, 4])
  // A bound is an input only since the file was read, so it has no place in the file.
  expect(parse(writeModel(trained(model, (x) => 2 * x))).opsetImport[0]?.version).toBe(21n)
})

test('a weight that is a constant comes back as one', () => {
  const t = { name: '', dataType: 10, dims: [2n, 1n], int32Data: [0x3c00, 0x4000] }
  const attribute = [{ name: 'value', type: 4, t }]
  const bytes = old({ node: [{ opType: 'Constant', output: ['w'], attribute }] })
  const model = readModel(bytes)
  expect(model.initializers.get('w')?.type).toBe('float32')
  expect(parse(writeModel(model))).toEqual(parse(bytes))
  const { graph } = parse(writeModel(trained(model, (x) => x + 1, ['w'])))
  expect(graph?.initializer).toEqual([])
  const tensor = graph?.node[0]?.attribute[0]?.t
  expect(tensor?.dataType).toBe(float16)
  const raw = Uint8Array.from(tensor?.rawData ?? [])
  expect([...new Uint16Array(raw.buffer)]).toEqual([0x4000, 0x4200])
})

test('metadata is read, and written', () => {
  const model = readModel(training(14n, { output: ['y'] }))
  expect([...(model.metadata ?? [])]).toEqual([['author', 'me']])
  const metadata = new Map([...(model.metadata ?? []), ['classes', '["a"]']])
  expect(readModel(writeModel({ ...model, metadata })).metadata).toEqual(metadata)
})

test('a new head keeps the types and the opset of the file', () => {
  const model = readModel(fixture('fp16.onnx'))
  const head: Tensor = { type: 'float32', shape: [16, 2], data: new Float32Array(32).fill(0.5) }
  const written = parse(
    writeModel({
      ...model,
      initializers: new Map(model.initializers).set('w2', head),
      outputs: [{ name: 'y', type: 'float32', shape: ['batch', 2] }],
    }),
  )
  const { graph, opsetImport } = written
  expect(opsetImport).toEqual(parse(fixture('fp16.onnx')).opsetImport)
  expect(graph?.initializer[1]).toMatchObject({ dataType: float16, dims: [16n, 2n] })
  const tensorType = graph?.output[0]?.type?.tensorType
  expect(tensorType?.elemType).toBe(float16)
  expect(tensorType?.shape?.dim[1]?.value).toEqual({ case: 'dimValue', value: 2n })
})

test('a model with other inputs or other nodes is written in the newest opset', () => {
  const model = readModel(fixture('fp16.onnx'))
  const [first, ...rest] = model.nodes
  const nodes = first ? [first, ...rest.map((node) => ({ ...node, name: `${node.name}2` }))] : []
  const { opsetImport, graph } = parse(writeModel({ ...model, nodes }))
  expect(opsetImport[0]?.version).toBe(21n)
  expect(graph?.initializer[0]?.dataType).toBe(1)
  const shape = ['batch', 8]
  const inputs = [...model.inputs, { name: 'z', type: 'float32', shape } as const]
  expect(parse(writeModel({ ...model, inputs })).opsetImport[0]?.version).toBe(21n)
  expect(toBinary(ModelProtoSchema, parse(writeModel(model)))).toEqual(writeModel(model))
})
