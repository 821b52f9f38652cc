import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { expect, test } from 'vitest'
import { Adam } from '../src/index.ts'

/** A training of three steps, each on its backend: where it ends, and what was cloned after the first. */
async function trained(size: number, backends: readonly string[]) {
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

test('a training that changes its backend equals one that does not', async () => {
  const size = 2 ** 21 + 3 // More than wasm has room for at first: its memory grows during the step.
  const staying = await trained(size, ['cpu', 'cpu', 'cpu'])
  for (const [i, array] of (await trained(size, ['cpu', 'wasm', 'cpu'])).entries()) {
    expect(array.findIndex((x, k) => Math.abs(x - staying[i][k]) > 1e-6)).toBe(-1)
  }
})
