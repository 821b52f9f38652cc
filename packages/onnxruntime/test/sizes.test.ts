import { diffGrad } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  crossEntropy,
  evaluationModel,
  linear,
  type Model,
  relu,
  sequential,
} from '@diffgrad/onnx'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { type Batch, type Runtime, Trainer } from '../src/index.ts'
import { smallModel, stripes } from './small-model.ts'

const optimizer = { rule: diffGrad, learningRate: 1e-2 }
const loss = crossEntropy()

/** A runtime that counts the sessions that it creates and has not released. */
function countingRuntime() {
  const counts = { created: 0, open: 0 }
  const { Tensor } = ort
  const create = async (...args: Parameters<typeof ort.InferenceSession.create>) => {
    const session = await ort.InferenceSession.create(...args)
    counts.created++
    counts.open++
    const release = session.release.bind(session)
    session.release = async () => {
      counts.open--
      await release()
    }
    return session
  }
  // onnxruntime-common types `create` as overloads.
  const runtime = { Tensor, InferenceSession: { create } } as unknown as Runtime
  return { runtime, counts }
}

test.each(['kernel', 'graph'] as const)(
  'a last, smaller batch is trained as by a trainer of its size: %s',
  async (update) => {
    const options = { loss, optimizer, update }
    const { runtime, counts } = countingRuntime()
    const trainer = await Trainer.create(runtime, smallModel(), {
      ...options,
      dimensions: { batch: 16 },
    })
    await trainer.step(stripes(1))
    const checkpoint = await trainer.save()
    const last = stripes(2, 5)
    const { created } = counts
    const result = await trainer.step(last)
    expect(counts.created).toBe(created + 1)
    await trainer.step(stripes(3))
    await trainer.step(last)
    expect(counts.created).toBe(created + 1)

    const small = await Trainer.create(ort, smallModel(), { ...options, dimensions: { batch: 5 } })
    await small.load(checkpoint)
    expect(await small.step(last)).toEqual(result)
    await small.step(stripes(3))
    await small.step(last)
    expect(await small.save()).toEqual(await trainer.save())
    await small.dispose()
    await trainer.dispose()
    expect(counts.open).toBe(0)
  },
)

/** Classes of texts of any length: batch × length × 4 features. */
const texts = (): Model =>
  buildModel(sequential(linear(8), relu, linear(3)), { shape: ['batch', 'length', 4], seed: 1 })

const text = (batch: number, length: number): Batch => ({
  input: {
    data: Float32Array.from({ length: batch * length * 4 }, (_, i) => Math.sin(i)),
    dims: [batch, length, 4],
  },
  target: Array.from({ length: batch * length }, (_, i) => i % 3),
})

test('texts of other lengths are trained, and at most eight sessions are kept', async () => {
  const { runtime, counts } = countingRuntime()
  const trainer = await Trainer.create(runtime, texts(), {
    loss: crossEntropy({ axis: -1 }),
    optimizer,
    dimensions: { batch: 2, length: 6 },
  })
  const before = counts.open
  const first = (await trainer.step(text(2, 6))).loss
  for (let t = 0; t < 30; t++) await trainer.step(text(1 + (t % 2), 3 + (t % 10)))
  expect(counts.open).toBe(before + 7)
  // Plain elements are of the sizes of the options.
  const { data } = text(2, 6).input as { data: Float32Array }
  const { target } = text(2, 6)
  expect((await trainer.step({ input: data, target })).loss).toBeLessThan(first)
  await trainer.dispose()
  expect(counts.open).toBe(0)
})

test('a batch that fits no size changes nothing, and creates no session', async () => {
  const { runtime, counts } = countingRuntime()
  const trainer = await Trainer.create(runtime, smallModel(), {
    loss,
    optimizer,
    dimensions: { batch: 16 },
  })
  const { created } = counts
  const { input, target } = stripes(1, 5)
  await expect(trainer.step({ input: input.slice(1), target })).rejects.toThrow(
    'batch: "input" must be float32 [batch,1,8,8], but is 319 elements',
  )
  await expect(trainer.step({ input, target: target.slice(1) })).rejects.toThrow(
    'batch: "target" must be int64 [5], but is 4 elements',
  )
  expect(counts.created).toBe(created)
  await trainer.dispose()
})

test('sizes that are fixed by the option shapes stay fixed', async () => {
  const model = buildModel(sequential(linear(8), batchNorm(), linear(3)), {
    shape: ['n', 4],
    seed: 1,
  })
  const trainer = await Trainer.create(ort, model, { loss, optimizer, shapes: { input: [4, 4] } })
  const input = new Float32Array(8)
  await expect(trainer.step({ input, target: [0, 1] })).rejects.toThrow(
    'batch: "input" must be float32 [4,4], but is 8 elements',
  )
  expect(() => evaluationModel(model, { loss, dimensions: { batch: 1 } })).toThrow('"batch"')
  await trainer.dispose()
})
