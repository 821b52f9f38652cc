import { flatCosine } from '@diffgrad/core'
import { DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { digits, size } from './digits.ts'

// Classifies pictures of digits with a model of layers, as the MNIST tutorials do.

/** Pictures and their labels, as tensors. */
function dataset(count: number, seed: number): { readonly x: tf.Tensor; readonly y: tf.Tensor } {
  const { pixels, labels } = digits(count, seed)
  const x = tf.tensor4d(pixels, [count, size, size, 1])
  return { x, y: tf.oneHot(tf.tensor1d([...labels], 'int32'), 10) }
}

const training = dataset(400, 1)
const validation = dataset(100, 2)

const kernelInitializer = tf.initializers.heNormal({ seed: 1 })
const relu = { activation: 'relu', kernelInitializer } as const
const model = tf.sequential({
  layers: [
    tf.layers.conv2d({ inputShape: [size, size, 1], filters: 8, kernelSize: 3, ...relu }),
    tf.layers.maxPooling2d({ poolSize: 2 }),
    tf.layers.flatten(),
    tf.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
  ],
})
const [epochs, batchSize] = [5, 25]
const steps = (epochs * 400) / batchSize
model.compile({
  optimizer: new DiffGrad({ learningRate: flatCosine({ from: 0.02, steps }) }),
  loss: 'categoricalCrossentropy',
  metrics: ['accuracy'],
})
const options = { epochs, batchSize, shuffle: false, verbose: 0 } as const
const { history } = await model.fit(training.x, training.y, options)
const [, accuracy] = model.evaluate(validation.x, validation.y) as tf.Scalar[]
console.log(
  `loss ${Number(history.loss[0]).toFixed(2)} → ${Number(history.loss.at(-1)).toFixed(2)}`,
)
console.log(`validation accuracy ${accuracy.dataSync()[0].toFixed(2)}`)
