import '@tensorflow/tfjs-backend-wasm'
import { testSeed } from '@diffgrad/testing/seed'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { expectSameSums, on, onBoth } from './backends.ts'

registerWasmGradients()

const seed = testSeed(7)

/** A network with every kind of layer for which the backend has no gradient of its own. */
function network(): tf.Sequential {
  const kernelInitializer = tf.initializers.glorotUniform({ seed })
  const depthwiseInitializer = tf.initializers.glorotUniform({ seed })
  const pointwiseInitializer = depthwiseInitializer
  const { layers } = tf
  return tf.sequential({
    layers: [
      layers.embedding({
        inputDim: 11,
        outputDim: 6,
        inputLength: 64,
        embeddingsInitializer: tf.initializers.randomNormal({ seed }),
      }),
      layers.conv1d({ filters: 5, kernelSize: 3, padding: 'same', kernelInitializer }),
      layers.reshape({ targetShape: [8, 8, 5] }),
      layers.conv2d({
        filters: 6,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        kernelInitializer,
      }),
      layers.batchNormalization(),
      layers.separableConv2d({
        filters: 7,
        kernelSize: 3,
        depthMultiplier: 2,
        depthwiseInitializer,
        pointwiseInitializer,
      }),
      layers.depthwiseConv2d({ kernelSize: 2, strides: 2, depthwiseInitializer }),
      layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, kernelInitializer }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax', kernelInitializer }),
    ],
  })
}

const tokens = Array.from({ length: 4 * 64 }, (_, i) => (i * i + 3 * i) % 11)

/** The gradients of all weights of the network, on the current backend. */
async function weightGradients(): Promise<Float32Array[]> {
  const model = network()
  const loss = (): tf.Scalar => {
    const outputs = model.apply(tf.tensor2d(tokens, [4, 64]), { training: true })
    const labels = tf.oneHot(tf.tensor1d([0, 1, 2, 1], 'int32'), 3)
    // A model of one output applied to one tensor.
    return tf.losses.softmaxCrossEntropy(labels, outputs as tf.Tensor)
  }
  const { value, grads } = tf.variableGrads(loss)
  const ofWeights = model.trainableWeights.map(({ name }) => grads[name])
  const gradients = await Promise.all(ofWeights.map((gradient) => gradient.data<'float32'>()))
  tf.dispose([value, grads])
  model.dispose()
  return gradients
}

test('gradients of layers equal those of the cpu backend', async () => {
  const { wasm, cpu } = await onBoth(weightGradients)
  expect(wasm).toHaveLength(network().trainableWeights.length)
  for (const [i, gradient] of wasm.entries()) {
    expect(Math.max(...cpu[i].map(Math.abs))).toBeGreaterThan(0)
    expectSameSums(gradient, cpu[i])
  }
})

test('a convolutional network learns, and leaks no tensor', async () => {
  await on('wasm', () => {})
  // How fast a network learns depends on its initial weights, so they are the same under every SEED; the
  // tests above compare the gradients for any.
  const seed = 7
  const kernelInitializer = tf.initializers.heNormal({ seed })
  const model = tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [12, 12, 1],
        filters: 8,
        kernelSize: 3,
        activation: 'relu',
        kernelInitializer,
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', kernelInitializer }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2, activation: 'softmax', kernelInitializer }),
    ],
  })
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'sparseCategoricalCrossentropy' })
  // Horizontal or vertical stripes.
  const images = tf.tidy(() => {
    const noise = tf.randomUniform([32, 12, 12, 1], 0, 1, 'float32', seed)
    const across = tf.tile(tf.reshape(tf.range(0, 12), [1, 12, 1, 1]), [16, 1, 12, 1])
    const stripes = tf.concat([across, tf.transpose(across, [0, 2, 1, 3])])
    return tf.add(noise, tf.mod(stripes, 2))
  })
  const labels = tf.tensor1d(Array.from({ length: 32 }, (_, i) => Math.floor(i / 16)))
  const losses: number[] = []
  const tensors: number[] = []
  for (let t = 0; t < 30; t++) {
    losses.push(Number(await model.trainOnBatch(images, labels)))
    tensors.push(tf.memory().numTensors)
  }
  // Guessing costs ln 2, or 0.69.
  expect(losses[29]).toBeLessThan(0.1)
  expect(new Set(tensors.slice(1)).size).toBe(1)
  tf.dispose([images, labels])
})
