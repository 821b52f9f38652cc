import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { gradientAt, startAt } from '../workloads.ts'
import type { Prepare } from './contender.ts'

const adam =
  (backend: 'cpu' | 'wasm'): Prepare =>
  async ({ sizes }) => {
    const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(`${dirname(file)}/`)
    tf.env().set('IS_TEST', true) // Or it advises to install tfjs-node.
    await tf.setBackend(backend)
    await tf.ready()
    const gradients: { name: string; tensor: tf.Tensor }[] = []
    for (const size of sizes) {
      const start = Float32Array.from({ length: size }, (_, i) => startAt(i))
      const gradient = Float32Array.from({ length: size }, (_, i) => gradientAt(i))
      const { name } = tf.variable(tf.tensor1d(start))
      gradients.push({ name, tensor: tf.tensor1d(gradient) })
    }
    const optimizer = tf.train.adam(1e-3)
    return () => optimizer.applyGradients(gradients)
  }

/** The optimizer that TensorFlow.js has. Both backends compute before they return. */
export const contenders: Readonly<Record<string, Prepare>> = {
  'tf.train.adam (cpu)': adam('cpu'),
  'tf.train.adam (wasm)': adam('wasm'),
}
