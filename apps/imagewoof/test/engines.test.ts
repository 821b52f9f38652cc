import { diffGrad, noDecayOnBiasAndNorm } from '@diffgrad/core'
import { buildModel, readModel, seeded, xResNet18 } from '@diffgrad/onnx'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { EngineOptions } from '../src/engine/engine.ts'
import { createOnnxRuntimeEngine, createTfjsEngine } from '../src/engine/engines.ts'

const [batch, size, classes] = [8, 32, 4]
const random = seeded(5)

const recipe: EngineOptions = {
  model: buildModel(xResNet18(classes, { stem: [4, 4, 8], width: 8 }), {
    shape: ['batch', 3, size, size],
    seed: 1,
    input: 'pixel_values',
    output: 'logits',
  }),
  frozen: [],
  optimizer: {
    rule: diffGrad,
    learningRate: 1e-3,
    weightDecay: 1e-2,
    decay: 'decoupled',
    groups: [noDecayOnBiasAndNorm],
    clip: { by: 'globalNorm', limit: 1 },
    ema: { decay: 0.9 },
  },
  batch,
  size,
  threads: 1,
}

const batches = Array.from({ length: 6 }, () => {
  const labels = Array.from({ length: batch }, () => Math.floor(random.uniform() * classes))
  const images = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
  const smoothed = (label: number, k: number) => (k === label ? 0.9 : 0) + 0.1 / classes
  const targets = labels.flatMap((label) =>
    Array.from({ length: classes }, (_, k) => smoothed(label, k)),
  )
  return { images, targets: Float32Array.from(targets), labels }
})

const edges = [0.5, 0.50001, 0.501, 0.51, 0.6, 1]

const far = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])))

test('both engines train alike, from the same weights on the same batches', async () => {
  const [theirs, ours] = [await createOnnxRuntimeEngine(recipe), await createTfjsEngine(recipe)]
  const tensors: number[] = []
  for (const [t, batch] of batches.entries()) {
    const asked = t === 3 ? edges : undefined
    const expected = await theirs.step(batch, asked)
    const { loss, accuracy, friction } = await ours.step(batch, asked)
    expect(loss).toBeCloseTo(expected.loss, 3)
    expect(accuracy).toBe(expected.accuracy)
    expect(friction === undefined).toBe(expected.friction === undefined)
    expect(friction?.mean ?? 0).toBeCloseTo(expected.friction?.mean ?? 0, 4)
    tensors.push(tf.memory().numTensors)
  }
  expect(new Set(tensors).size).toBe(1)
  const { images } = batches[0]
  expect(far(await ours.predict(images), await theirs.predict(images))).toBeLessThan(0.02)
  await theirs.dispose()
  await ours.dispose()
})

test('a checkpoint of one engine goes on on the other, and exports are alike', async () => {
  const [from, to] = [await createTfjsEngine(recipe), await createOnnxRuntimeEngine(recipe)]
  for (const batch of batches.slice(0, 3)) await from.step(batch)
  const saved = await from.save({ epoch: 3 })
  expect(await to.load(saved)).toEqual({ epoch: 3 })
  expect(
    far(await from.predict(batches[0].images), await to.predict(batches[0].images)),
  ).toBeLessThan(1e-4)
  const next = await to.step(batches[3])
  expect((await from.step(batches[3])).loss).toBeCloseTo(next.loss, 4)
  const [ours, theirs] = [readModel(await from.export()), readModel(await to.export())]
  expect(ours.nodes).toEqual(theirs.nodes)
  expect([...ours.initializers.keys()].sort()).toEqual([...theirs.initializers.keys()].sort())

  await from.dispose()
  await to.dispose()
})

test('training goes on from a checkpoint bit for bit', async () => {
  const engine = await createTfjsEngine(recipe)
  await engine.step(batches[0])
  const saved = await engine.save({ epoch: 1 })
  const course = async () => [await engine.step(batches[1]), await engine.step(batches[2])]
  const [once, end] = [await course(), await engine.save(null)]
  expect(await engine.load(saved)).toEqual({ epoch: 1 })
  expect(await course()).toEqual(once)
  expect(Buffer.compare(await engine.save(null), end)).toBe(0)
  await engine.dispose()
})

test.each([
  { what: 'loss', key: 'targets' },
  { what: 'sum of running statistics', key: 'images' },
] as const)('a step on $key that are no numbers changes nothing', async ({ what, key }) => {
  const engine = await createTfjsEngine(recipe)
  await engine.step(batches[0])
  const [before, { numTensors }] = [await engine.save(null), tf.memory()]
  const damaged = { ...batches[1], [key]: batches[1][key].map(() => Number.NaN) }
  await expect(engine.step(damaged)).rejects.toThrow(
    `the ${what} must be finite, but is NaN; the weights are unchanged`,
  )
  expect(Buffer.compare(await engine.save(null), before)).toBe(0)
  expect(tf.memory().numTensors).toBe(numTensors)
  await engine.dispose()
})
