import '@tensorflow/tfjs-backend-wasm'
import { sgd } from '@diffgrad/core'
import {
  averagePool,
  batchNorm,
  buildModel,
  conv,
  crossEntropy,
  globalAveragePool,
  type Layer,
  linear,
  maxPool,
  mish,
  relu,
  seeded,
  sequential,
  xResNet18,
  xResNet50,
} from '@diffgrad/onnx'
import { Network } from '@diffgrad/onnx-tfjs'
import { Trainer } from '@diffgrad/onnxruntime'
import { testSeed } from '@diffgrad/testing/seed'
import { expectClose } from '@diffgrad/testing/tolerance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'

registerWasmGradients()

const [batch, classes] = [4, 3]
const narrow = { stem: [4, 4, 8], width: 8 }

const cases: readonly { name: string; network: Layer; size: number }[] = [
  { name: 'XResNet-18', network: xResNet18(classes, narrow), size: 36 },
  {
    name: 'XResNet-50 with Mish and attention',
    network: xResNet50(classes, { ...narrow, activation: mish, selfAttention: true }),
    size: 32,
  },
  {
    name: 'windows larger than the padded image, and a bias',
    network: sequential(
      conv(5, { kernel: 5, stride: 2, padding: 1, bias: true }),
      batchNorm(),
      relu,
      averagePool(2, { roundUp: true }),
      conv(6, { dilation: 2 }),
      maxPool(3, { stride: 2, roundUp: true }),
      globalAveragePool,
      linear(classes),
    ),
    size: 20,
  },
]

const random = seeded(testSeed(3))

test.each(cases)('$name trains as on ONNX Runtime', async ({ network, size }) => {
  await tf.setBackend('wasm')
  const dims = [batch, 3, size, size]
  const model = buildModel(network, { shape: ['batch', ...dims.slice(1)], seed: testSeed(1) })
  const images = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
  const labels = [0, 1, 2, 1]
  const learningRate = 0.05
  const trainer = await Trainer.create(ort, model, {
    loss: crossEntropy(),
    optimizer: { rule: sgd, learningRate },
    dimensions: { batch },
  })
  const tfjsNetwork = new Network(model)
  const optimizer = tf.train.sgd(learningRate)
  const targets = tf.oneHot(tf.tensor1d(labels, 'int32'), classes)
  const { numTensors } = tf.memory()
  for (let step = 0; step < 4; step++) {
    const expected = await trainer.step({ input: images, target: labels })
    const results = tfjsNetwork.differentiate(
      () => ({ input: tf.tensor(images, dims) }),
      ({ output }) => tf.losses.softmaxCrossEntropy(targets, output),
    )
    expectClose((await results.loss.data())[0], expected.loss, { relative: 1e-3 })
    optimizer.applyGradients(results.gradients)
    tfjsNetwork.updateStatistics(results.next)
    tf.dispose({ ...results })
  }
  expect(tf.memory().numTensors).toBe(numTensors)

  const { data } = (await trainer.predict({ input: images })).output
  const { output } = tfjsNetwork.run({ input: tf.tensor(images, dims) }, 'evaluate').outputs
  expectClose(await output.data(), Array.from(data, Number), { relative: 1e-2, absolute: 5e-3 })
  tfjsNetwork.dispose()
  tf.dispose([targets, output])
})
