import { classes } from '@diffgrad/testing/shapes'
import { DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'
import { size } from './data.ts'

/** A convolution of 3×3, normalized, after which the image is half as large. */
const block = (filters: number, strides: number): tf.layers.Layer[] => [
  tf.layers.conv2d({ filters, kernelSize: 3, strides, padding: 'same', useBias: false }),
  tf.layers.batchNormalization(),
  tf.layers.reLU(),
  ...(strides === 1 ? [tf.layers.maxPooling2d({ poolSize: 2 })] : []),
]

/** Three convolutions and a classifier, ready to be trained. */
export function network(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: [size, size, 3] }),
      ...block(16, 2),
      ...block(32, 1),
      ...block(32, 1),
      tf.layers.flatten(),
      tf.layers.dense({ units: classes.length, activation: 'softmax' }),
    ],
  })
  const optimizer = new DiffGrad({ learningRate: 3e-3 })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  return model
}
