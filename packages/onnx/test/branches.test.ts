import { InferenceSession } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { inferenceModel } from '../src/evaluation-model.ts'
import { gradientModel } from '../src/gradient-model.ts'
import { readModel } from '../src/model/read.ts'
import { writeModel } from '../src/model/write.ts'
import { meanSquaredError } from '../src/nn/losses.ts'
import { conditional, scale, squeeze, twice, withFunctions } from './control-flow-files.ts'
import { expectTensorClose, feedsOf, float, floats, session } from './session.ts'

const input = float(Float32Array.of(1, 2, -3, 0.5), [2, 1, 2])

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
