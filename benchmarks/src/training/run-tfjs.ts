import '@tensorflow/tfjs-backend-wasm'
import { diffGrad } from '@diffgrad/core'
import { seeded } from '@diffgrad/onnx'
import { Network } from '@diffgrad/onnx-tfjs'
import { RuleOptimizer } from '@diffgrad/tfjs'
import { registerWasmGradients } from '@diffgrad/tfjs/wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { serve } from './serve.ts'
import { batch, modelOf, workloads } from './workloads.ts'

// As run-trainer.ts, on the wasm backend of TensorFlow.js, which has one thread in Node.
const [name] = process.argv.slice(2)
const workload = workloads.find((candidate) => candidate.name === name)
if (!workload) throw new RangeError(`there is no workload ${name}`)
registerWasmGradients()
await tf.setBackend('wasm')
const network = new Network(modelOf(workload))
const optimizer = new RuleOptimizer(diffGrad)
const random = seeded(2)
const { size } = workload
const images = Float32Array.from({ length: batch * 3 * size ** 2 }, () => random.normal())
const classes = Array.from({ length: batch }, (_, i) => i % 10)
const targets = tf.oneHot(tf.tensor1d(classes, 'int32'), 10)

function step(): void {
  const found = network.differentiate(
    () => ({ input: tf.tensor(images, [batch, 3, size, size]) }),
    ({ output }) => tf.losses.softmaxCrossEntropy(targets, output),
  )
  optimizer.applyGradients(found.gradients)
  network.updateStatistics(found.next)
  tf.dispose({ ...found })
}

await serve(async () => step())
