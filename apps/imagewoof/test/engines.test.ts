import { diffGrad, noDecayOnBiasAndNorm } from '@diffgrad/core'
import { buildModel, readModel, seeded, xResNet18 } from '@diffgrad/onnx'
import { ClassifierTrainer, selectBackend } from '@diffgrad/onnx-tfjs'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { weightTargets } from '../src/data/loader/augment.ts'
import type { TrainingEngineOptions } from '../src/engine/engine.ts'
import { engines } from '../src/engine/engines.ts'

const [batch, size, classes] = [8, 32, 4]
const random = seeded(testSeed(5))

const options: TrainingEngineOptions = {
  model: buildModel(xResNet18(classes, { stem: [4, 4, 8], width: 8 }), {
    shape: ['batch', 3, size, size],
    seed: testSeed(1),
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

test('both engines give the same losses from the same weights on the same batches', async () => {
  const [ort, tfjs] = [await engines.onnxruntime(options), await engines.tfjs(options)]
  const tensors: number[] = []
  for (const [t, batch] of batches.entries()) {
    const frictionEdges = t === 3 ? edges : undefined
    const expected = await ort.step(batch, frictionEdges)
    const { loss, accuracy, friction } = await tfjs.step(batch, frictionEdges)
    expectClose(loss, expected.loss, { relative: 1e-3 })
    // Nearly equal logits may have another order.
    expectClose(accuracy, expected.accuracy, { relative: 0, absolute: 1 / batch.labels.length })
    expect(friction === undefined).toBe(expected.friction === undefined)
    expectClose(friction?.mean ?? 0, expected.friction?.mean ?? 0, { relative: 1e-4 })
    tensors.push(tf.memory().numTensors)
  }
  expect(new Set(tensors).size).toBe(1)
  const { images } = batches[0]
  const rounding = { relative: 0, absolute: 0.02 }
  expectClose(await tfjs.predict(images), await ort.predict(images), rounding)
  await ort.dispose()
  await tfjs.dispose()
})

test('class weights give the loss of PyTorch, and the same training, in both engines', async () => {
  const [weights, smoothing] = [[0.4, 2.5, 1, 7], 0.1]
  const { images, labels, targets } = batches[0]
  await selectBackend()
  const trainer = new ClassifierTrainer(options.model, options)
  const { logits } = await trainer.step({ inputs: images, shape: [batch, 3, size, size], targets })
  trainer.dispose()
  const logProbability = (n: number, c: number): number => {
    const row = logits.subarray(n * classes, (n + 1) * classes)
    return row[c] - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0))
  }
  // CrossEntropyLoss(weight, label_smoothing, reduction='mean') of PyTorch, for class indices.
  const divisor = labels.reduce((sum, label) => sum + weights[label], 0)
  const nll = labels.reduce((sum, y, n) => sum - weights[y] * logProbability(n, y), 0) / divisor
  const smooth =
    labels.reduce(
      (sum, _, n) => sum - weights.reduce((s, w, c) => s + w * logProbability(n, c), 0),
      0,
    ) / divisor
  const expected = (1 - smoothing) * nll + (smoothing / classes) * smooth
  const [ort, tfjs] = [await engines.onnxruntime(options), await engines.tfjs(options)]
  for (let t = 0; t < 5; t++) {
    const weighted = { ...batches[t], targets: batches[t].targets.slice() }
    weightTargets(weighted, weights, smoothing)
    const [first, second] = [await ort.step(weighted), await tfjs.step(weighted)]
    if (t === 0) expectClose(first.loss, expected, { relative: 1e-4 })
    expectClose(second.loss, first.loss, { relative: 1e-3 })
    expectClose(second.accuracy, first.accuracy, { relative: 0, absolute: 1 / batch })
  }
  await ort.dispose()
  await tfjs.dispose()
})

test('a checkpoint of one engine can be resumed by the other, and both export the same graph', async () => {
  const [from, to] = [await engines.tfjs(options), await engines.onnxruntime(options)]
  for (const batch of batches.slice(0, 3)) await from.step(batch)
  const saved = await from.save({ epoch: 3 })
  expect(await to.load(saved)).toEqual({ epoch: 3 })
  const { images } = batches[0]
  const rounding = { relative: 1e-4, absolute: 1e-4 }
  expectClose(await from.predict(images), await to.predict(images), rounding)
  const next = await to.step(batches[3])
  expectClose((await from.step(batches[3])).loss, next.loss, { relative: 1e-4 })
  const [tfjsModel, ortModel] = [readModel(await from.export()), readModel(await to.export())]
  expect(tfjsModel.nodes).toEqual(ortModel.nodes)
  expect([...tfjsModel.initializers.keys()].sort()).toEqual(
    [...ortModel.initializers.keys()].sort(),
  )

  await from.dispose()
  await to.dispose()
})

test('training resumes from a checkpoint bit for bit', async () => {
  const engine = await engines.tfjs(options)
  await engine.step(batches[0])
  const saved = await engine.save({ epoch: 1 })
  const twoSteps = async () => [await engine.step(batches[1]), await engine.step(batches[2])]
  const [once, end] = [await twoSteps(), await engine.save(null)]
  expect(await engine.load(saved)).toEqual({ epoch: 1 })
  expect(await twoSteps()).toEqual(once)
  expect(Buffer.compare(await engine.save(null), end)).toBe(0)
  await engine.dispose()
})

test.each([
  { what: 'loss', key: 'targets' },
  { what: 'sum of running statistics', key: 'images' },
] as const)('a step on $key of NaN changes nothing', async ({ what, key }) => {
  const engine = await engines.tfjs(options)
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
