// @ts-check
// Run by `versions.ts` beside an installed release of TensorFlow.js.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { registerWasmGradients } from './gradients.mjs'
import { Adam, DiffGrad, SGD } from './tfjs.mjs'

const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
setWasmPaths(`${dirname(wasm)}/`)
registerWasmGradients()

/** Saves a model with its optimizer, and loads it. */
async function saveAndLoad(model) {
  let saved
  const handler = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  })
  await model.save(handler, { includeOptimizer: true })
  return tf.loadLayersModel(tf.io.fromMemory(saved))
}

const results = []
for (const backend of ['cpu', 'wasm']) {
  assert.ok(await tf.setBackend(backend))
  const xs = tf.randomNormal([8, 6, 6, 1], 0, 1, 'float32', 1)
  const ys = tf.mean(xs, [1, 2])
  const fit = async (model, epochs) => {
    const { history } = await model.fit(xs, ys, { epochs, shuffle: false, verbose: 0 })
    return history.loss
  }
  for (const Rule of [SGD, Adam, DiffGrad]) {
    const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 })
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ inputShape: [6, 6, 1], filters: 2, kernelSize: 3, kernelInitializer }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 1, kernelInitializer }),
      ],
    })
    const optimizer = new Rule({
      learningRate: 0.02,
      groups: [{ parameters: /bias/, weightDecay: 0.1 }],
    })
    model.compile({ optimizer, loss: 'meanSquaredError' })
    const [first, ...losses] = await fit(model, 10)
    assert.ok(losses.at(-1) < first)
    let kernels = 0
    const gradients = Object.fromEntries(
      model.trainableWeights.map((weight) => [weight.read().name, tf.onesLike(weight.read())]),
    )
    const original = tf.engine().runKernelFunc
    tf.engine().runKernelFunc = function (...args) {
      kernels++
      return original.apply(this, args)
    }
    optimizer.applyGradients(gradients)
    tf.engine().runKernelFunc = original
    assert.equal(kernels, 0, 'the step is fused')
    const loaded = await saveAndLoad(model)
    assert.equal(loaded.optimizer.iterations, 11)
    assert.equal(loaded.optimizer.constructor, Rule)
    assert.deepEqual(await fit(loaded, 3), await fit(model, 3))
    results.push(`${backend} ${Rule.className}`)
  }
}
console.log(`trains, saves and resumes bit for bit, fused: ${results.join(', ')}`)
