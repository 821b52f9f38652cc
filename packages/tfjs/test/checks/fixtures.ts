import { testSeed } from '@diffgrad/testing/seed'
import * as tf from '@tensorflow/tfjs'
import type { TensorGradients } from '../../src/index.ts'

/** A property of optimizers of TensorFlow.js. `run` throws if it does not hold. */
export interface Check {
  readonly name: string
  /** The backends that it applies to: all by default, except the unrecognized one. */
  readonly backends?: readonly string[]
  run(): Promise<void>
}

const seeded = (label: number) => tf.initializers.glorotUniform({ seed: testSeed(label) })

/** A small convolutional network with the same weights every time. */
export function network(): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        inputShape: [8, 8, 1],
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: seeded(1),
      }),
      tf.layers.batchNormalization(),
      tf.layers.maxPooling2d({ poolSize: 2 }),
      tf.layers.conv2d({
        filters: 5,
        kernelSize: 3,
        activation: 'relu',
        kernelInitializer: seeded(2),
      }),
      tf.layers.flatten(),
      tf.layers.dense({ units: 2, kernelInitializer: seeded(3) }),
    ],
  })
}

/** A network of two dense layers, with the same weights every time, which trains faster. */
export const perceptron = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [8, 8, 1] }),
      tf.layers.dense({ units: 3, activation: 'tanh', kernelInitializer: seeded(1) }),
      tf.layers.dense({ units: 2, kernelInitializer: seeded(2) }),
    ],
  })

/** Images of noise with a bright row (class 0) or column (class 1), and their one-hot classes. */
export function lines(): { readonly xs: tf.Tensor4D; readonly ys: tf.Tensor2D } {
  const count = 16
  const pixels = Float32Array.from({ length: count * 64 }, (_, i) => {
    const [image, row, column] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8]
    const at = (3 * image) % 8
    const bright = image % 2 === 0 ? row === at : column === at
    return 0.3 * Math.sin(12.9 * i) + (bright ? 2 : 0)
  })
  const classes = Float32Array.from({ length: count * 2 }, (_, i) =>
    Math.floor(i / 2) % 2 === i % 2 ? 1 : 0,
  )
  return { xs: tf.tensor4d(pixels, [count, 8, 8, 1]), ys: tf.tensor2d(classes, [count, 2]) }
}

/** The trainable variables of a model. */
export const variablesOf = (model: tf.LayersModel): tf.Variable[] =>
  // Weights of layers are variables underneath.
  model.trainableWeights.map((weight) => weight.read() as tf.Variable)

/** The loss of a model on `lines`, and its gradients. */
export function gradientsOf(
  model: tf.LayersModel,
  { xs, ys }: ReturnType<typeof lines>,
): { readonly loss: tf.Scalar; readonly gradients: TensorGradients & tf.NamedTensorMap } {
  const { value, grads } = tf.variableGrads(() => {
    const logits = model.apply(xs, { training: true }) as tf.Tensor2D // Of one output.
    return tf.losses.softmaxCrossEntropy(ys, logits).asScalar()
  }, variablesOf(model))
  return { loss: value, gradients: grads }
}
