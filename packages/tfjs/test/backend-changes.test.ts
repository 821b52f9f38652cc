import { expectClose } from '@diffgrad/testing/tolerance'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { test } from 'vitest'
import { Adam } from '../src/index.ts'

/** Trains for three steps, each on a backend of its own. Returns weights and state, and clones of the state after the first step. */
async function train(size: number, backends: readonly string[]) {
  const name = backends.join()
  const optimizer = new Adam({ learningRate: 0.1 })
  await tf.setBackend(backends[0])
  const own = tf.variable(tf.linspace(-1, 1, size), true, name)
  optimizer.bind([own])
  const [, , ...memory] = await optimizer.getWeights()
  const clones: tf.Tensor[] = []
  for (const [t, backend] of backends.entries()) {
    await tf.setBackend(backend)
    optimizer.applyGradients({ [name]: tf.linspace(t, t - 2, size) })
    if (t === 0) clones.push(...memory.map(({ tensor }) => tensor.clone()))
  }
  return [own, ...memory.map(({ tensor }) => tensor), ...clones].map((tensor) => tensor.dataSync())
}

test('changing the backend does not change the training', async () => {
  const size = 2 ** 21 + 3 // More than the initial memory of wasm, so it grows during the step.
  const expected = await train(size, ['cpu', 'cpu', 'cpu'])
  for (const [i, array] of (await train(size, ['cpu', 'wasm', 'cpu'])).entries()) {
    expectClose(array, expected[i], { relative: 1e-6, absolute: 1e-6 })
  }
})
