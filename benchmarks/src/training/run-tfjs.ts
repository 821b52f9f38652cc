import '@tensorflow/tfjs-backend-wasm'
import { diffGrad } from '@diffgrad/core'
import { seeded } from '@diffgrad/onnx'
import { Network } from '@diffgrad/onnx-tfjs'
import { RuleOptimizer } from '@diffgrad/tfjs'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { serveTimings, timeSteps } from '../child-process.ts'
import { findWorkload, modelOf } from './workloads.ts'

// Child process: trains a workload on TensorFlow.js, whose wasm backend has one thread in Node.
const workload = findWorkload(process.argv[2])
registerWasmGradients()
await tf.setBackend('wasm')
const network = new Network(modelOf(workload))
const optimizer = new RuleOptimizer(diffGrad)
const random = seeded(2)
const { size, batch } = workload
const images = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
const classes = Array.from({ length: batch }, (_, i) => i % 10)
const targets = tf.oneHot(tf.tensor1d(classes, 'int32'), 10)

function step(): void {
  const result = network.differentiate(
    () => ({ input: tf.tensor(images, [batch, 3, size, size]) }),
    ({ output }) => tf.losses.softmaxCrossEntropy(targets, output),
  )
  optimizer.applyGradients(result.gradients)
  network.updateStatistics(result.next)
  tf.dispose({ ...result })
}

await serveTimings((steps) => timeSteps(step, steps))
