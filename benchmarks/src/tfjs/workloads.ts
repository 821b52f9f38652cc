import * as tf from '@tensorflow/tfjs'

/** The variables that one optimizer step updates. */
interface VariableSet {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
}

/** Five convolutions with biases and normalizations, and a classifier: 141,354 parameters. */
function convolutionalNetwork(): VariableSet['shapes'] {
  const widths = [3, 32, 32, 64, 64, 128]
  const layers = widths.slice(1).flatMap((width, i) => [
    [3, 3, widths[i], width], // The convolution, its bias, and γ and β of the normalization.
    ...[[width], [width], [width]],
  ])
  return [...layers, [128, 10], [10]]
}

export const variableSets: readonly VariableSet[] = [
  { name: 'CNN, 22 variables of 141k', shapes: convolutionalNetwork() },
  { name: '2 variables of 1M', shapes: Array.from({ length: 2 }, () => [1000, 1000]) },
  { name: '100 variables of 64', shapes: Array.from({ length: 100 }, () => [64]) },
]

/** A network, and the size of its batches. */
export interface BenchmarkNetwork {
  readonly name: string
  readonly batch: number
  /** Width and height of the images, in pixels. */
  readonly size: number
  layers(): tf.layers.Layer[]
}

const { layers } = tf

export const networks: readonly BenchmarkNetwork[] = [
  {
    name: 'perceptron, 235k parameters, batches of 32',
    batch: 32,
    size: 28,
    layers: () => [
      layers.flatten({ inputShape: [28, 28, 1] }),
      layers.dense({ units: 256, activation: 'relu' }),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  },
  {
    name: 'two convolutions, 28k parameters, batches of 16',
    batch: 16,
    size: 28,
    layers: () => [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 64, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  },
]
