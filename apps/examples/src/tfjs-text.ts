import { AdamW } from '@diffgrad/tfjs'
import * as tf from '@tensorflow/tfjs'

// An LSTM learns a text by heart, one character after the other, and continues it.

const text = 'the quick brown fox jumps over the lazy dog. '
const alphabet = [...new Set(text)]
const length = 8

/** The characters from a position on, one-hot, as a batch of one. */
const encode = (characters: string): tf.Tensor =>
  tf.oneHot(
    tf.tensor2d([[...characters].map((c) => alphabet.indexOf(c))], undefined, 'int32'),
    alphabet.length,
  )

const repeated = text + text
const windows = Array.from({ length: text.length }, (_, i) => repeated.slice(i, i + length))
const x = tf.concat(windows.map(encode))
const next = Array.from({ length: text.length }, (_, i) => alphabet.indexOf(repeated[i + length]))
const y = tf.oneHot(tf.tensor1d(next, 'int32'), alphabet.length)

const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 })
const recurrentInitializer = tf.initializers.orthogonal({ seed: 2 })
const model = tf.sequential({
  layers: [
    tf.layers.lstm({
      units: 24,
      inputShape: [length, alphabet.length],
      kernelInitializer,
      recurrentInitializer,
    }),
    tf.layers.dense({ units: alphabet.length, activation: 'softmax', kernelInitializer }),
  ],
})
// Gradients of recurrent networks sometimes explode: their norm is clipped.
const optimizer = new AdamW({ learningRate: 0.03, clip: { by: 'globalNorm', limit: 1 } })
model.compile({ optimizer, loss: 'categoricalCrossentropy' })
await model.fit(x, y, { epochs: 50, batchSize: text.length, shuffle: false, verbose: 0 })

let continued = 'the quick'
for (let i = 0; i < 30; i++) {
  const best = tf
    .argMax(model.predict(encode(continued.slice(-length))) as tf.Tensor, -1)
    .dataSync()[0]
  continued += alphabet[best]
}
console.log(continued)
