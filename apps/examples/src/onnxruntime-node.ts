import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diffGrad, flatCosine } from '@diffgrad/core'
import {
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  linear,
  maxPool,
  relu,
  sequential,
} from '@diffgrad/onnx'
import { accuracy, Trainer } from '@diffgrad/onnxruntime'
import { replaceFile } from '@diffgrad/onnxruntime/node'
import * as ort from 'onnxruntime-node'
import { digits, size } from './digits.ts'

// Trains a small convolutional network on ONNX Runtime, resumes it from a checkpoint, and writes an .onnx file.

const [batch, epochs, count] = [50, 4, 600]

/** Batches of pictures and their labels. */
function* batches(
  count: number,
  seed: number,
): Generator<{ input: Float32Array; target: readonly number[] }> {
  const { pixels, labels } = digits(count, seed)
  const area = size * size
  for (let first = 0; first < count; first += batch) {
    const end = first + batch
    yield { input: pixels.subarray(first * area, end * area), target: labels.slice(first, end) }
  }
}

const blocks = [8, 16].map((channels) => sequential(conv(channels), batchNorm(), relu, maxPool(2)))
const network = sequential(...blocks, globalAveragePool, linear(10))
const model = buildModel(network, { shape: ['batch', 1, size, size], seed: 1 })
const steps = (epochs * count) / batch
const create = (): Promise<Trainer> =>
  Trainer.create(ort, model, {
    loss: crossEntropy({ labelSmoothing: 0.1 }),
    optimizer: {
      rule: diffGrad,
      learningRate: flatCosine({ from: 0.05, steps }),
      weightDecay: 1e-4,
    },
    metrics: { accuracy: accuracy() },
    dimensions: { batch },
  })

const folder = mkdtempSync(join(tmpdir(), 'example-'))
let trainer = await create()
for (let epoch = 1; epoch <= epochs; epoch++) {
  for (const one of batches(count, 1)) await trainer.step(one)
  await replaceFile(
    join(folder, 'checkpoint.safetensors'),
    await trainer.save({ epoch: `${epoch}` }),
  )
  if (epoch !== 2) continue
  trainer = await create() // as after a crash
  const notes = await trainer.load(readFileSync(join(folder, 'checkpoint.safetensors')))
  console.log(`resumed with notes ${JSON.stringify(notes)}`)
}

let right = 0
for (const one of batches(200, 2)) right += (await trainer.evaluate(one)).metrics.accuracy ?? 0
const file = join(folder, 'model.onnx')
await replaceFile(file, await trainer.export())
const session = await ort.InferenceSession.create(file)
console.log(`validation accuracy ${(right / 4).toFixed(2)}`)
console.log(`${session.inputNames} → ${session.outputNames}`)
