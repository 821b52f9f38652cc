import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { gradientAt, initialAt, type PrepareOptimizer } from './workloads.ts'

const adam =
  (backend: 'cpu' | 'wasm'): PrepareOptimizer =>
  async ({ sizes }) => {
    const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(`${dirname(file)}/`)
    tf.env().set('IS_TEST', true) // Suppresses the advice to install tfjs-node.
    await tf.setBackend(backend)
    await tf.ready()
    const gradients: { name: string; tensor: tf.Tensor }[] = []
    for (const size of sizes) {
      const initial = Float32Array.from({ length: size }, (_, i) => initialAt(i))
      const gradient = Float32Array.from({ length: size }, (_, i) => gradientAt(i))
      const { name } = tf.variable(tf.tensor1d(initial))
      gradients.push({ name, tensor: tf.tensor1d(gradient) })
    }
    const optimizer = tf.train.adam(1e-3)
    return () => optimizer.applyGradients(gradients)
  }

/** Adam of TensorFlow.js. Both backends finish a step before `applyGradients` returns. */
export const optimizers: Readonly<Record<string, PrepareOptimizer>> = {
  'tf.train.adam (cpu)': adam('cpu'),
  'tf.train.adam (wasm)': adam('wasm'),
}
