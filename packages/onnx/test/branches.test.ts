import { create, toBinary } from '@bufbuild/protobuf'
import { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { inferenceModel } from '../src/evaluation-model.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { writeAttribute } from '../src/model/attribute.ts'
import { GraphProtoSchema } from '../src/model/onnx_pb.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { file, type GraphFields } from './model-file.ts'
import { expectTensorClose, feedsOf, float, floats, session } from './session.ts'

const branch = (name: string, fields: GraphFields) => ({
  name,
  type: 5,
  g: toBinary(GraphProtoSchema, create(GraphProtoSchema, { name, ...fields })),
})
const value = (name: string, ...sizes: readonly (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType: 1,
      shape: {
        dim: sizes.map((size) => ({
          value:
            typeof size === 'string'
              ? ({ case: 'dimParam', value: size } as const)
              : ({ case: 'dimValue', value: BigInt(size) } as const),
        })),
      },
    },
  },
})
const weight = { name: 'w', dataType: 1, dims: [2n, 2n], floatData: [1, -2, 0.5, 3] }
const input = float(Float32Array.of(1, 2, -3, 0.5), [2, 1, 2])

/** What torch writes for `squeeze(1)` of an axis of unknown length: opset 11, axes as an attribute. */
const squeeze = file(
  {
    input: [value('x', 'batch', 'length', 2)],
    output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
    initializer: [weight],
    node: [
      { opType: 'Shape', input: ['x'], output: ['shape'] },
      {
        opType: 'Constant',
        output: ['one'],
        attribute: [
          writeAttribute('value', {
            tensor: { type: 'int64', shape: [], data: BigInt64Array.of(1n) },
          }),
        ],
      },
      { opType: 'Gather', input: ['shape', 'one'], output: ['length'] },
      { opType: 'Equal', input: ['length', 'one'], output: ['isOne'] },
      {
        name: 'b',
        opType: 'If',
        input: ['isOne'],
        output: ['squeezed'],
        attribute: [
          branch('then_branch', {
            node: [
              {
                opType: 'Squeeze',
                input: ['x'],
                output: ['inner'],
                attribute: [writeAttribute('axes', [1])],
              },
            ],
            output: [value('inner', 'batch', 2)],
          }),
          branch('else_branch', {
            node: [{ opType: 'Identity', input: ['x'], output: ['inner'] }],
            output: [value('inner', 'batch', 'length', 2)],
          }),
        ],
      },
      { opType: 'MatMul', input: ['squeezed', 'w'], output: ['y'] },
    ],
  },
  { opsetImport: [{ domain: '', version: 11n }], irVersion: 6n },
)

test.each([
  [1, [2, 2]],
  [2, [1, 2, 2]],
] as const)('an If takes the branch of the sizes: length %i', async (length, shape) => {
  const model = readModel(squeeze)
  const x = float(input.data as Float32Array, [2 / length, length, 2])
  const gradient = gradientModel(model, {
    loss: meanSquaredError(),
    shapes: { x: x.dims },
  })
  const feeds = { x, target: float(new Float32Array(4), shape), ...feedsOf(gradient.parameters) }
  const results = await (await session(gradient.model)).run(feeds)
  const expected = (await (await InferenceSession.create(squeeze)).run({ x })).y
  expect(results.y?.dims).toEqual(shape)
  expectTensorClose(floats(results, 'y'), expected?.data as Float32Array, 1e-6)
  expect([...gradient.parameters.keys()]).toEqual(['w'])
})

test('a file with an If comes back as it came, and other nodes are written beside it', async () => {
  const model = readModel(squeeze)
  expect(writeModel(inferenceModel(model))).toEqual(squeeze)
  const [first] = model.nodes
  if (!first) throw new TypeError('there must be a node')
  const changed = { ...model, nodes: [{ ...first, name: 'renamed' }, ...model.nodes.slice(1)] }
  const results = await (await session(changed)).run({ x: input })
  const expected = (await (await InferenceSession.create(squeeze)).run({ x: input })).y
  expect(floats(results, 'y')).toEqual(expected?.data)
})

const weighted = (floatData: number[]): GraphFields => ({
  initializer: [{ ...weight, floatData }],
  node: [
    { opType: 'MatMul', input: ['x', 'w'], output: ['m'] },
    { name: 'd', opType: 'Dropout', input: ['m', '', 'always'], output: ['inner'] },
  ],
  output: [value('inner', 'batch', 2)],
})
const conditional = (condition: 'initializer' | 'input') => {
  const always = { name: 'always', dataType: 9, int32Data: [1] }
  const flag = { name: 'flag', dataType: 9, int32Data: [0] }
  return file({
    input: [
      value('x', 'batch', 2),
      ...(condition === 'input'
        ? [{ name: 'flag', type: { tensorType: { elemType: 9, shape: { dim: [] } } } }]
        : []),
    ],
    output: [value('y', 'batch', 2)],
    initializer: [always, ...(condition === 'input' ? [] : [flag])],
    node: [
      {
        name: 'b',
        opType: 'If',
        input: ['flag'],
        output: ['y'],
        attribute: [
          branch('then_branch', weighted([1, 1, 1, 1])),
          branch('else_branch', weighted([1, -2, 0.5, 3])),
        ],
      },
    ],
  })
}

test('weights in branches are trained, and both branches are exported in evaluation mode', async () => {
  const model = readModel(conditional('initializer'))
  const options = { loss: meanSquaredError(), dimensions: { batch: 2 } }
  expect([...gradientModel(model, options).parameters.keys()]).toEqual(['w_1'])
  const initializers = new Map(model.initializers)
  initializers.set('w_1', { type: 'float32', shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) })
  const trained = await session(inferenceModel({ ...model, initializers }))
  const x = float(Float32Array.of(1, 2, 3, 4), [2, 2])
  expect(floats(await trained.run({ x }), 'y')).toEqual(x.data)
})

test('an If whose condition depends on an input is refused by name', () => {
  const model = readModel(conditional('input'))
  expect(() =>
    gradientModel(model, { loss: meanSquaredError(), dimensions: { batch: 2 } }),
  ).toThrow(
    'node "b" (If): its condition "flag" must be constant, but depends on inputs; make an initializer of the input that decides',
  )
})

const scale = {
  name: 'Scale',
  domain: 'local',
  input: ['a', 'b'],
  output: ['c'],
  attribute: ['slope'],
  opsetImport: [{ domain: '', version: 21n }],
  node: [
    {
      opType: 'LeakyRelu',
      input: ['a'],
      output: ['t'],
      attribute: [{ name: 'alpha', type: 1, refAttrName: 'slope' }],
    },
    { opType: 'MatMul', input: ['t', 'b'], output: ['c'] },
  ],
}
const twice = {
  name: 'Twice',
  domain: 'local',
  input: ['a', 'b'],
  output: ['c'],
  opsetImport: [
    { domain: '', version: 21n },
    { domain: 'local', version: 1n },
  ],
  node: [
    { opType: 'Scale', domain: 'local', input: ['a', 'b'], output: ['t'] },
    {
      opType: 'Scale',
      domain: 'local',
      input: ['t', 'b'],
      output: ['c'],
      attribute: [writeAttribute('slope', { float: 0.5 })],
    },
  ],
}
const withFunctions = (functions: readonly (typeof scale | typeof twice)[]) =>
  file(
    {
      input: [value('x', 'batch', 2)],
      output: [value('y', 'batch', 2)],
      initializer: [weight],
      node: [
        { name: 'n', opType: 'Twice', domain: 'local', input: ['x', 'w'], output: ['t'] },
        { name: 'm', opType: 'Twice', domain: 'local', input: ['t', 'w'], output: ['y'] },
      ],
    },
    {
      functions: [...functions],
      opsetImport: [
        { domain: '', version: 21n },
        { domain: 'local', version: 1n },
      ],
    },
  )

test('functions are inlined, trained, and come back as they came', async () => {
  const bytes = withFunctions([scale, twice])
  const model = readModel(bytes)
  expect(model.nodes.map(({ operator }) => operator)).toEqual(
    Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 'LeakyRelu' : 'MatMul')),
  )
  const x = float(Float32Array.of(1, -2, 3, 4), [2, 2])
  const expected = (await (await InferenceSession.create(bytes)).run({ x })).y
  expectTensorClose(
    floats(
      await (await session({ ...model, name: 'inlined', nodes: [...model.nodes] })).run({ x }),
      'y',
    ),
    expected?.data as Float32Array,
    1e-6,
  )
  const gradient = gradientModel(model, { loss: meanSquaredError(), dimensions: { batch: 2 } })
  const target = float(new Float32Array(4), [2, 2])
  const results = await (await session(gradient.model)).run({
    x,
    target,
    ...feedsOf(gradient.parameters),
  })
  expectTensorClose(floats(results, 'y'), expected?.data as Float32Array, 1e-6)
  expect(writeModel(inferenceModel(model))).toEqual(bytes)
})

test('functions that call themselves, or grow without bounds, are refused', () => {
  const cycle = { ...scale, node: [{ ...twice.node[0], opType: 'Twice', domain: 'local' }] }
  expect(() => readModel(withFunctions([cycle, twice]))).toThrow(
    'function "Twice": must not call itself',
  )
  const chain = Array.from({ length: 40 }, (_, i) => ({
    ...twice,
    name: i === 0 ? 'Twice' : `f${i}`,
    node: twice.node.map((node) => ({
      ...node,
      opType: i === 39 ? 'MatMul' : `f${i + 1}`,
      domain: i === 39 ? '' : 'local',
    })),
  }))
  expect(() => readModel(withFunctions(chain))).toThrow(
    'model: must have at most 65536 nodes with its functions inlined, but has 2199023255552',
  )
})
