import { classes, type Shapes, shapes } from '@diffgrad/testing/shapes'
import { DiffGrad } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'

/** Width and height of the pictures, in pixels. */
export const size = 32

/** The data set: RGB bytes and labels. */
export const dataset: Shapes = shapes({ count: 640, size })

const count = dataset.labels.length
const pictureBytes = size * size * 3

/** The RGB bytes of one picture. */
export const pixelsOf = (picture: number): Uint8Array =>
  dataset.pixels.subarray(picture * pictureBytes, (picture + 1) * pictureBytes)

/** A batch of pictures and their one-hot labels. `from` wraps around at the end of the data set. */
export function batch(from: number, length: number): { images: tf.Tensor4D; labels: tf.Tensor2D } {
  const pictures = Array.from({ length }, (_, i) => (from + i) % count)
  const pixels = Float32Array.from(pictures.flatMap((picture) => [...pixelsOf(picture)]))
  const labels = pictures.map((picture) => dataset.labels[picture])
  return tf.tidy(() => ({
    images: tf.sub(tf.div(tf.tensor4d(pixels, [length, size, size, 3]), 128), 1),
    labels: tf.oneHot(tf.tensor1d(labels, 'int32'), classes.length) as tf.Tensor2D, // One axis more.
  }))
}

/** Initial weights with a fixed seed, so that every run shows the same training. */
const initializer = (seed: number) => tf.initializers.glorotNormal({ seed })

/** A normalized 3×3 convolution that halves the image. */
const block = (seed: number, filters: number, strides: number): tf.layers.Layer[] => [
  tf.layers.conv2d({
    filters,
    kernelSize: 3,
    strides,
    padding: 'same',
    useBias: false,
    kernelInitializer: initializer(seed),
  }),
  tf.layers.batchNormalization(),
  tf.layers.reLU(),
  ...(strides === 1 ? [tf.layers.maxPooling2d({ poolSize: 2 })] : []),
]

/** Three convolutions and a classifier, compiled with DiffGrad. */
export function createModel(): tf.LayersModel {
  const model = tf.sequential({
    layers: [
      tf.layers.inputLayer({ inputShape: [size, size, 3] }),
      ...block(1, 16, 2),
      ...block(2, 32, 1),
      ...block(3, 32, 1),
      tf.layers.flatten(),
      tf.layers.dense({
        units: classes.length,
        activation: 'softmax',
        kernelInitializer: initializer(4),
      }),
    ],
  })
  const optimizer = new DiffGrad({ learningRate: 3e-3 })
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  return model
}
