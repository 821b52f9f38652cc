import { DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { digits, size } from './digits.ts'

// Transfer learning: a model that knows the digits 0 to 7 learns 8 and 9 from twenty pictures. First a new head
// learns alone; then all layers, the old ones at a tenth of the rate.

/** Pictures of some digits, and their labels counted from the first of them. */
function dataset(
  count: number,
  seed: number,
  only: string,
): { readonly x: tf.Tensor; readonly y: tf.Tensor } {
  const { pixels, labels } = digits(count, seed, only)
  const from = labels.map((label) => only.indexOf(`${label}`))
  const x = tf.tensor4d(pixels, [count, size, size, 1])
  return { x, y: tf.oneHot(tf.tensor1d(from, 'int32'), only.length) }
}

const kernelInitializer = tf.initializers.heNormal({ seed: 1 })
const relu = { activation: 'relu', kernelInitializer } as const
const body = [
  tf.layers.conv2d({ inputShape: [size, size, 1], filters: 4, kernelSize: 3, ...relu }),
  tf.layers.maxPooling2d({ poolSize: 2 }),
  tf.layers.flatten(),
  tf.layers.dense({ units: 32, ...relu }),
]
const head = (units: number, name: string): tf.layers.Layer =>
  tf.layers.dense({ units, name, activation: 'softmax', kernelInitializer })
const loss = 'categoricalCrossentropy'
const fit = { batchSize: 20, shuffle: false, verbose: 0 } as const

const known = dataset(400, 1, '01234567')
const pretrained = tf.sequential({ layers: [...body, head(8, 'old-head')] })
pretrained.compile({ optimizer: new DiffGrad({ learningRate: 0.02 }), loss })
await pretrained.fit(known.x, known.y, { ...fit, epochs: 5 })

const few = dataset(20, 2, '89')
const test = dataset(100, 3, '89')
const model = tf.sequential({ layers: [...body, head(2, 'new-head')] })
const groups = [{ parameters: /^(?!new-head)/, learningRate: 2e-3, optional: true }]
const optimizer = new DiffGrad({ learningRate: 0.02, groups })

/** Trains, with the body frozen or not, and returns the accuracy on pictures that the model has never seen. */
async function train(trainable: boolean, epochs: number): Promise<string> {
  for (const layer of body) layer.trainable = trainable
  model.compile({ optimizer, loss, metrics: ['accuracy'] })
  await model.fit(few.x, few.y, { ...fit, epochs })
  const [, accuracy] = model.evaluate(test.x, test.y) as tf.Scalar[]
  return accuracy.dataSync()[0].toFixed(2)
}

console.log(`the head alone: accuracy ${await train(false, 30)}`)
console.log(`all layers: accuracy ${await train(true, 30)}`)
