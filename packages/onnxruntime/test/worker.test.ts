import { Worker } from 'node:worker_threads'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { connectTrainer, Trainer } from '../src/index.ts'
import { bundle } from './bundle.ts'
import { smallModel, stripes } from './digits.ts'

const large = stripes(1, 4096)

/** The longest time, in milliseconds, between two ticks of a 10 ms timer while something runs. */
async function longestPause(task: () => Promise<unknown>): Promise<number> {
  let [last, longest] = [performance.now(), 0]
  const tick = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }
  const timer = setInterval(tick, 10)
  await task()
  tick()
  clearInterval(timer)
  return longest
}

test('a timer ticks on while a worker trains, and stands still while this thread does', async () => {
  const trainer = await connectTrainer(new Worker(await bundle('worker.ts')))
  const here = await Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions: { batch: 4096 },
  })
  await trainer.step(large)
  await here.step(large)
  const remote = await longestPause(async () => {
    for (let t = 0; t < 5; t++) await trainer.step(large)
  })
  const local = await longestPause(async () => {
    for (let t = 0; t < 5; t++) await here.step(large)
  })
  console.log({ remote, local })
  expect(remote).toBeLessThan(local / 3)
  await trainer.dispose()
  await here.dispose()
})

test('a worker does all that a trainer does, and its errors arrive', async () => {
  const trainer = await connectTrainer(new Worker(await bundle('worker.ts')))
  const { updates, metrics } = await trainer.step(large)
  expect(updates).toBe(1)
  expect(metrics.accuracy).toBeLessThan(1)
  const saved = await trainer.save('notes')
  const { loss } = await trainer.evaluate(large)
  await trainer.set({ learningRate: 0.5 })
  await trainer.step(large)
  expect(await trainer.load(saved)).toBe('notes')
  expect((await trainer.evaluate(large)).loss).toBe(loss)
  await expect(trainer.step({ input: large.input })).rejects.toThrow('must have "target"')
  await trainer.dispose()
})
