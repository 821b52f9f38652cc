import { adamW } from '@diffgrad/core'
import {
  applyLora,
  buildModel,
  crossEntropy,
  elementCount,
  initializerRoles,
  type Layer,
  layerNorm,
  linear,
  lora,
  type Model,
  mergeLora,
  readModel,
  relu,
  residual,
  seeded,
  selfAttention,
  sequential,
  writeModel,
} from '@diffgrad/onnx'
import { expectClose } from '@diffgrad/testing/tolerance'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { readAdapters, Trainer, TrainerError } from '../src/index.ts'

const [length, width] = [12, 64]

/** A pretrained encoder of two layers that tells the class of every token. */
function encoder(): Model {
  const block: Layer = sequential(
    residual(sequential(layerNorm(), selfAttention(4))),
    residual(sequential(layerNorm(), linear(4 * width), relu, linear(width))),
  )
  return buildModel(sequential(block, block, layerNorm(), linear(8)), {
    shape: ['batch', length, width],
    seed: 1,
  })
}

const random = seeded(2)
const input = Float32Array.from({ length: 4 * length * width }, () => random.normal())
const target = Array.from({ length: 4 * length }, (_, i) => (i % 3 === 0 ? -100 : i % 8))

const train = (model: Model, update: 'kernel' | 'graph' = 'kernel') =>
  Trainer.create(ort, model, {
    update,
    loss: crossEntropy({ axis: -1, ignoreIndex: -100 }),
    optimizer: { rule: adamW, learningRate: 5e-3 },
    dimensions: { batch: 4 },
  })

test('LoRA trains 2 % of an attention model, saves kilobytes, and merges into the file', async () => {
  const file = writeModel(encoder())
  const model = readModel(file)
  const adapted = lora(model, { targets: [/query|value/, /^3\.weight$/], rank: 4, alpha: 8 })
  const { parameters, frozen } = initializerRoles(adapted)
  const count = (tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>): number =>
    [...tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0)
  const trainer = await train(adapted)
  const { loss: first } = await trainer.step({ input, target })
  let { loss: last } = await trainer.step({ input, target })
  for (let t = 0; t < 60; t++) last = (await trainer.step({ input, target })).loss
  expect(last).toBeLessThan(first / 3)

  const bytes = await trainer.saveAdapters()
  const figures = {
    trained: count(parameters),
    all: count(parameters) + count(frozen),
    adapters: bytes.length,
    file: file.length,
  }
  expect(figures).toEqual({
    trained: 2_336,
    all: 102_952,
    adapters: 10_456,
    file: 411_837,
  })
  // The arrays of Adam are twice the adapters; the options beside them are JSON.
  expect((await trainer.save()).length).toBeLessThan(34_000)

  const predicted = (await trainer.predict({ input })).output
  const merged = await trainer.export()
  expect(readModel(merged).nodes).toEqual(model.nodes)
  const outputOf = async (exported: Uint8Array) => {
    const session = await ort.InferenceSession.create(exported, { logSeverityLevel: 3 })
    const { output } = await session.run({
      input: new ort.Tensor('float32', input, [4, length, width]),
    })
    return Array.from(output.data, Number)
  }
  const tolerance = { relative: 1e-4, absolute: 1e-4 }
  expectClose(await outputOf(merged), Array.from(predicted.data, Number), tolerance)
  // The file of the adapters and the model are all that is needed.
  const again = applyLora(model, readAdapters(bytes))
  expect(Buffer.compare(writeModel(mergeLora(again)), merged)).toBe(0)
  await trainer.dispose()

  for (const update of ['kernel', 'graph'] as const) {
    const resumed = await train(again, update)
    const { output } = await resumed.predict({ input })
    expect(output.data).toEqual(predicted.data)
    expect((await resumed.step({ input, target })).loss).toBeLessThan(first / 3)
    expect((await resumed.saveAdapters()).length).toBe(bytes.length)
    await resumed.dispose()
  }
})

test('adapters that are damaged, or of a model without any, are refused', async () => {
  const trainer = await train(encoder())
  await expect(trainer.saveAdapters()).rejects.toThrow('the model must have adapters, but has none')
  const checkpoint = await trainer.save()
  expect(() => readAdapters(checkpoint)).toThrow(
    new TrainerError('adapters: must be diffgrad adapters 1, but are diffgrad checkpoint 1'),
  )
  await trainer.dispose()
})
