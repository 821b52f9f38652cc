import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { smallModel, stripes } from './digits.ts'

/** The runtime on a machine that now and then has no memory left for a model. */
function shortOfMemory() {
  const machine = { full: false }
  const InferenceSession = new Proxy(ort.InferenceSession, {
    get: (factory, key) =>
      machine.full && key === 'create'
        ? () => Promise.reject(new Error('out of memory'))
        : Reflect.get(factory, key),
  })
  return { machine, runtime: { InferenceSession, Tensor: ort.Tensor } }
}

test('what a passing fault prevented can be asked for again, and disposal goes on', async () => {
  const { machine, runtime } = shortOfMemory()
  const trainer = await Trainer.create(runtime, smallModel(), {
    loss: crossEntropy(),
    dimensions: { batch: 16 },
    optimizer: { rule: diffGrad },
  })
  const batch = stripes(1)
  machine.full = true
  await expect(trainer.evaluate(batch)).rejects.toThrow('out of memory')
  await expect(trainer.predict({ input: batch.input })).rejects.toThrow('out of memory')
  machine.full = false
  expect((await trainer.evaluate(batch)).loss).toBeGreaterThan(0)
  machine.full = true
  await expect(trainer.evaluate(stripes(1, 8))).rejects.toThrow('out of memory')
  await trainer.dispose()
})
