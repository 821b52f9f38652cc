import { readFileSync } from 'node:fs'
import { diffGrad, scheduleFreeAdamW } from '@diffgrad/core'
import { crossEntropy, meanSquaredError, mul, readModel, seeded, sigmoid } from '@diffgrad/onnx'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { readCheckpoint, Trainer } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
const validation = { input: stripes(99, 5).input }

test.each(['kernel', 'graph'] as const)(
  'an exported model gives the predictions of the trainer, for any batch size: %s',
  async (update) => {
    const optimizer = { rule: diffGrad, learningRate: 1e-2 }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, optimizer, update })
    for (let t = 0; t < 20; t++) await trainer.step(stripes(t))
    const bytes = await trainer.export()
    const session = await ort.InferenceSession.create(bytes)
    expect([session.inputNames, session.outputNames]).toEqual([['input'], ['output']])
    const input = new ort.Tensor('float32', validation.input, [5, 1, 8, 8])
    const { output } = await session.run({ input })
    const predicted = (await trainer.predict(validation)).output
    expect(predicted.dims).toEqual([5, 3])
    // The runtime folds BatchNormalization into constant weights, which rounds differently.
    expectClose(Array.from(output.data, Number), Array.from(predicted.data, Number), {
      relative: 1e-4,
      absolute: 1e-5,
    })
    const { initializers } = readModel(bytes)
    const mean = initializers.get('0.1.running_mean')
    if (mean?.type !== 'float32') throw new TypeError('must be float32')
    expect([...mean.data].some((x) => x !== 0)).toBe(true)
    await trainer.dispose()
  },
)

test('the option average exports and evaluates the average of the weights, and training is unchanged', async () => {
  const trainer = await Trainer.create(ort, smallModel(), {
    ...options,
    optimizer: { rule: diffGrad, learningRate: 1e-2, ema: { decay: 0.9 } },
  })
  for (let t = 0; t < 5; t++) await trainer.step(stripes(t))
  const before = await trainer.save()
  const weightOf = (bytes: Uint8Array) => readModel(bytes).initializers.get('2.bias')
  const plain = weightOf(await trainer.export())
  const averaged = weightOf(await trainer.export({ average: true }))
  expect(averaged).not.toEqual(plain)
  const evaluated = await trainer.evaluate(stripes(50), { average: true })
  expect(evaluated.loss).not.toBe((await trainer.evaluate(stripes(50))).loss)
  expect(await trainer.save()).toEqual(before)
  await trainer.dispose()
})

test.each(['kernel', 'graph'] as const)(
  'by an update in the %s, Schedule-Free is evaluated and exported at x = y + (1/β − 1)(y − z), and training is unchanged',
  async (update) => {
    const optimizer = { rule: scheduleFreeAdamW, learningRate: 1e-2, beta1: 0.8 }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, optimizer, update })
    for (let t = 0; t < 5; t++) await trainer.step(stripes(t))
    const before = await trainer.save()
    const { weights, optimizer: state } = readCheckpoint(before)
    const z = Float32Array.from(state.parameters['2.bias'].state.z)
    const x = Array.from(weights['2.bias'].data, (y, i) => y + 0.25 * (y - z[i]))
    const exported = readModel(await trainer.export({ average: true })).initializers.get('2.bias')
    if (exported?.type !== 'float32') throw new TypeError('must be float32')
    expectClose(Array.from(exported.data, Number), x, { relative: 1e-5, absolute: 1e-7 })
    const { loss } = await trainer.evaluate(stripes(50), { average: true })
    expect(loss).not.toBe((await trainer.evaluate(stripes(50))).loss)
    expect(await trainer.save()).toEqual(before)
    await trainer.step(stripes(5))
    const after = await trainer.save()
    await trainer.load(before)
    await trainer.step(stripes(5))
    expect(await trainer.save()).toEqual(after)
    await trainer.dispose()
  },
)

test('frozen weights are exported unchanged', async () => {
  const model = smallModel()
  const trainer = await Trainer.create(ort, model, {
    ...options,
    frozen: [/^0\./],
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
  })
  for (let t = 0; t < 3; t++) await trainer.step(stripes(t))
  const { initializers } = readModel(await trainer.export())
  const changed = [...initializers].filter(([name, tensor]) => {
    const before = model.initializers.get(name)
    return (
      tensor.type !== 'opaque' &&
      before?.type !== 'opaque' &&
      `${tensor.data}` !== `${before?.data}`
    )
  })
  const names = changed.map(([name]) => name)
  expect(names.filter((name) => name.startsWith('0.'))).toEqual([])
  expect(names).toContain('1.1.running_var')
  expect(names).toContain('2.weight')
  await trainer.dispose()
})

test('predictions for many batch sizes keep at most eight sessions', async () => {
  let open = 0
  const InferenceSession = {
    async create(bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) {
      const session = await ort.InferenceSession.create(bytes, options)
      open++
      const release = session.release.bind(session)
      session.release = async () => {
        open--
        await release()
      }
      return session
    },
  } as typeof ort.InferenceSession
  const optimizer = { rule: diffGrad }
  const trainer = await Trainer.create({ ...ort, InferenceSession }, smallModel(), {
    ...options,
    optimizer,
  })
  const before = open
  const first = await trainer.predict({ input: stripes(0, 1).input })
  for (let size = 2; size <= 12; size++) await trainer.predict({ input: stripes(0, size).input })
  expect(open - before).toBe(8)
  expect(await trainer.predict({ input: stripes(0, 1).input })).toEqual(first)
  await trainer.dispose()
  expect(open).toBe(0)
})

test('a trained file keeps its half precision and its external weights', async () => {
  const fixture = (name: string) =>
    readFileSync(new URL(`../../onnx/test/fixtures/${name}`, import.meta.url))
  const half = await Trainer.create(ort, fixture('fp16.onnx'), {
    loss: meanSquaredError(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions: { batch: 2 },
  })
  const random = seeded(1)
  const x = Float32Array.from({ length: 16 }, () => random.normal())
  for (let t = 0; t < 5; t++) await half.step({ x, target: new Float32Array(8) })
  const session = await ort.InferenceSession.create(await half.export())
  const { y } = await session.run({
    x: new ort.Tensor('float16', new Uint16Array(16).fill(0x3c00), [2, 8]),
  })
  const ones = await half.predict({ x: new Float32Array(16).fill(1) })
  const toNumber = (bits: number): number =>
    (bits & 0x8000 ? -1 : 1) * (1 + (bits & 1023) / 1024) * 2 ** (((bits >> 10) & 31) - 15)
  // Half precision has 11 bits.
  expectClose(Array.from(y.data as Uint16Array, toNumber), Array.from(ones.y.data, Number), {
    relative: 2 ** -8,
    absolute: 2 ** -10,
  })
  await half.dispose()

  const weights = fixture('bert.onnx_data')
  const bert = readModel(fixture('bert.onnx'), () => weights)
  const dimensions = Object.fromEntries(
    bert.inputs.flatMap(({ shape = [] }) =>
      shape.flatMap((size) => (typeof size === 'string' ? [[size, 2]] : [])),
    ),
  )
  const trainer = await Trainer.create(ort, bert, {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions,
  })
  const { model, external } = await trainer.exportFiles()
  expect(Object.keys(external)).toEqual(['bert.onnx_data'])
  expect(Buffer.compare(external['bert.onnx_data'], weights)).toBe(0)
  expect(Math.abs(model.length - fixture('bert.onnx').length)).toBeLessThan(100)
  await trainer.dispose()
})

test('a model with an operator that no runtime has predicts by its rewrite rule, and comes back with it', async () => {
  const file = readFileSync(new URL('../../onnx/test/fixtures/custom_mid.onnx', import.meta.url))
  const trainer = await Trainer.create(ort, file, {
    loss: meanSquaredError(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions: { batch: 2 },
    rewriteRules: { 'me.MyOp': ({ inputs: [x] }) => (x ? [mul(x, sigmoid(x))] : []) },
  })
  const batch = { x: new Float32Array(16).fill(1), target: new Float32Array(8) }
  const { loss } = await trainer.step(batch)
  expect((await trainer.evaluate(batch)).loss).toBeLessThan(loss)
  expect((await trainer.predict({ x: new Float32Array(24) })).y.dims).toEqual([3, 4])
  const exported = readModel(await trainer.export())
  expect(exported.nodes).toEqual(readModel(file).nodes)
  expect(exported.initializers.get('w1')).not.toEqual(readModel(file).initializers.get('w1'))
  await trainer.dispose()
})
