import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { bundle } from '@diffgrad/testing/bundle'
import { expect, test } from 'vitest'
import { shareRanks } from '../src/index.ts'
import { trainTensors } from './fixtures/tensors.ts'

test('two ranks of TensorFlow.js, each a thread, equal one with accumulate 2, bit for bit', async () => {
  const one = await trainTensors(shareRanks(1), 0)
  const shared = shareRanks(2)
  const worker = new Worker(await bundle(import.meta.url, 'tensors.ts'), { workerData: shared })
  const [first, [second]] = await Promise.all([trainTensors(shared, 0), once(worker, 'message')])
  expect(first).toEqual(one)
  expect(second).toEqual(one)
  expect(one[0]).not.toBe(1)
})
