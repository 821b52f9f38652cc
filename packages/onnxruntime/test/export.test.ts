import { diffGrad } from '@diffgrad/core'
import { crossEntropy, readModel } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

const options = { loss: crossEntropy(), dimensions: { batch: 16 } }
const held = { input: stripes(99, 5).input }

test.each(['kernel', 'graph'] as const)(
  'what is exported gives what the trainer predicts, for any batch: %s',
  async (update) => {
    const optimizer = { rule: diffGrad, learningRate: 1e-2 }
    const trainer = await Trainer.create(ort, smallModel(), { ...options, optimizer, update })
    for (let t = 0; t < 20; t++) await trainer.step(stripes(t))
    const bytes = await trainer.export()
    const session = await ort.InferenceSession.create(bytes)
    expect([session.inputNames, session.outputNames]).toEqual([['input'], ['output']])
    const input = new ort.Tensor('float32', held.input, [5, 1, 8, 8])
    const { output } = await session.run({ input })
    const predicted = (await trainer.predict(held)).output
    expect(predicted.dims).toEqual([5, 3])
    // The runtime folds weights that it knows ahead, which rounds differently.
    for (const [i, y] of [...predicted.data].entries())
      expect(Number(output.data[i])).toBeCloseTo(Number(y), 4)
    const { initializers } = readModel(bytes)
    const mean = initializers.get('0.1.running_mean')
    if (mean?.type !== 'float32') throw new TypeError('must be float32')
    expect([...mean.data].some((x) => x !== 0)).toBe(true)
    await trainer.dispose()
  },
)

test('the average of the weights is exported by choice, and leaves training as it was', async () => {
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

test('frozen weights are exported as they were', async () => {
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
