import { Worker } from 'node:worker_threads'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import {
  connectTrainer,
  NotFiniteError,
  type RemoteTrainer,
  Trainer,
  TrainerError,
} from '../src/index.ts'
import { bundle } from './bundle.ts'
import { smallModel, stripes } from './digits.ts'

const large = stripes(1, 4096)

/** How often a 10 ms timer ticks while something runs, as a share of how often it should. */
async function ticking(task: () => Promise<unknown>): Promise<number> {
  let ticks = 0
  const timer = setInterval(() => ticks++, 10)
  const start = performance.now()
  await task()
  clearInterval(timer)
  return ticks / ((performance.now() - start) / 10)
}

test('a timer ticks on while a worker trains, and stands still while this thread does', async () => {
  const there = await connectTrainer(new Worker(await bundle('worker.ts')))
  const here = await Trainer.create(ort, smallModel(), {
    loss: crossEntropy(),
    optimizer: { rule: diffGrad, learningRate: 1e-2 },
    dimensions: { batch: 4096 },
  })
  const fiveSteps = async (trainer: Pick<RemoteTrainer, 'step'>) => {
    for (let t = 0; t < 5; t++) await trainer.step(large)
  }
  await fiveSteps(there)
  await fiveSteps(here)
  const [free, blocked] = [
    await ticking(() => fiveSteps(there)),
    await ticking(() => fiveSteps(here)),
  ]
  // On a machine with other work both tick less often; one of them hardly ever.
  expect(blocked).toBeLessThan(0.3)
  expect(free).toBeGreaterThan(3 * blocked)
  await there.dispose()
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
  const { histograms } = await trainer.step(large, { histograms: { xi: [0.5, 1] } })
  expect(histograms?.xi).toMatchObject({ counts: [1323], outside: 0 })
  const controller = new AbortController()
  const first = trainer.step(large)
  const second = trainer.step(large, { signal: controller.signal })
  controller.abort(new RangeError('enough'))
  await expect(second).rejects.toThrow('enough')
  expect((await trainer.step(large)).updates).toBe((await first).updates + 1)
  await expect(trainer.step(large, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  const third = trainer.step(large, { signal: AbortSignal.timeout(1) })
  await expect(third).rejects.toThrow('timeout')
  const short = trainer.step({ input: large.input })
  await expect(short).rejects.toThrow('must have "target"')
  await expect(short).rejects.toBeInstanceOf(TrainerError)
  const input = large.input.slice().fill(Number.NaN)
  await expect(trainer.step({ ...large, input })).rejects.toBeInstanceOf(NotFiniteError)
  await trainer.dispose()
})

test('a trainer whose worker ended says so, and can be disposed of', async () => {
  const trainer = await connectTrainer(new Worker(await bundle('ending-worker.ts')))
  await expect(trainer.step(stripes(1))).rejects.toThrow('trainer: its worker ended')
  await expect(trainer.save()).rejects.toThrow('trainer: its worker ended')
  await trainer.dispose()
})

test('a trainer in a worker that was disposed of says so, and can be disposed of again', async () => {
  const trainer = await connectTrainer(new Worker(await bundle('worker.ts')))
  const last = trainer.step(large)
  await Promise.all([trainer.dispose(), trainer.dispose()])
  expect((await last).updates).toBe(1)
  await trainer.dispose()
  await expect(trainer.step(large)).rejects.toThrow('trainer: was disposed of')
})
