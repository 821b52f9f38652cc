import { once } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { bundle } from '@diffgrad/testing/bundle'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import {
  connectTrainer,
  NotFiniteError,
  type RemoteTrainer,
  Trainer,
  TrainerError,
} from '../src/index.ts'
import type { WorkerOptions } from './fixtures/worker.ts'
import { smallModel, stripes } from './small-model.ts'

const batch = stripes(1)

/** A trainer in a worker whose next session run stops at a gate. */
interface GatedWorker {
  readonly trainer: RemoteTrainer
  /** Makes the next session run wait. Resolves when it does. */
  closeGate(): Promise<unknown>
  openGate(): void
}

async function startWorker(exits = false): Promise<GatedWorker> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const workerData: WorkerOptions = { gate, exits }
  const worker = new Worker(await bundle(import.meta.url, 'worker.ts'), { workerData })
  return {
    trainer: await connectTrainer(worker),
    closeGate() {
      Atomics.store(gate, 0, 1)
      return once(worker, 'message')
    },
    openGate() {
      Atomics.store(gate, 0, 0)
      Atomics.notify(gate, 0)
    },
  }
}

test('this thread’s event loop runs while a worker takes a step', async () => {
  const { trainer, closeGate, openGate } = await startWorker()
  const running = closeGate()
  const step = trainer.step(batch)
  await running
  // The worker is in its session's `run`, and stays there until this thread's timer has fired.
  await setTimeout(1)
  openGate()
  expect((await step).updates).toBe(1)
  await trainer.dispose()
})

test('a step in this thread blocks its event loop: it takes two iterations, however large the batch', async () => {
  const size = 4096
  const trainer = await Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad },
    dimensions: { batch: size },
  })
  let steps = 0
  let iterations = 0
  const step = trainer.step(stripes(1, size)).finally(() => steps++)
  while (steps === 0) {
    await setImmediate()
    iterations++
  }
  await step
  expect(iterations).toBeLessThanOrEqual(2)
  await trainer.dispose()
})

test('a worker does all that a trainer does, and its errors keep their classes', async () => {
  const { trainer } = await startWorker()
  const { updates, metrics } = await trainer.step(batch)
  expect(updates).toBe(1)
  expect(metrics.accuracy).toBeLessThanOrEqual(1)
  const saved = await trainer.save('notes')
  const { loss } = await trainer.evaluate(batch)
  await trainer.set({ learningRate: 0.5 })
  await trainer.step(batch)
  expect(await trainer.load(saved)).toBe('notes')
  expect((await trainer.evaluate(batch)).loss).toBe(loss)
  const { histograms } = await trainer.step(batch, { histograms: { xi: [0.5, 1] } })
  expect(histograms?.xi).toMatchObject({ counts: [1323], outside: 0 })
  const short = trainer.step({ input: batch.input })
  await expect(short).rejects.toThrow('must have "target"')
  await expect(short).rejects.toBeInstanceOf(TrainerError)
  const input = batch.input.slice().fill(Number.NaN)
  await expect(trainer.step({ ...batch, input })).rejects.toBeInstanceOf(NotFiniteError)
  await trainer.dispose()
})

test('a step in a worker is aborted before it runs, while it waits and while it runs, and changes nothing', async () => {
  const { trainer, closeGate, openGate } = await startWorker()
  const before = await trainer.save()
  await expect(trainer.step(batch, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')

  const controller = new AbortController()
  const running = closeGate()
  const runs = trainer.step(batch, { signal: controller.signal })
  const waits = trainer.step(batch, { signal: controller.signal })
  await running
  controller.abort(new RangeError('enough'))
  openGate()
  await expect(runs).rejects.toThrow('enough')
  await expect(waits).rejects.toThrow('enough')
  expect(await trainer.save()).toEqual(before)
  expect((await trainer.step(batch)).updates).toBe(1)
  await trainer.dispose()
})

test('a trainer whose worker ended says so, and can be disposed of', async () => {
  const { trainer } = await startWorker(true)
  await expect(trainer.step(batch)).rejects.toThrow('trainer: its worker ended')
  await expect(trainer.save()).rejects.toThrow('trainer: its worker ended')
  await trainer.dispose()
})

test('a trainer in a worker that was disposed of says so, and can be disposed of again', async () => {
  const { trainer } = await startWorker()
  const last = trainer.step(batch)
  await Promise.all([trainer.dispose(), trainer.dispose()])
  expect((await last).updates).toBe(1)
  await trainer.dispose()
  await expect(trainer.step(batch)).rejects.toThrow('trainer: was disposed of')
})
