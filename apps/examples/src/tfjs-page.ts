import '@tensorflow/tfjs-backend-webgpu'
import { DiffGrad } from '@diffgrad/tfjs'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import { digits, size } from './digits.ts'

// The script of pages/tfjs.html, which a bundler compiles. `?backend=wasm` selects a backend.

const output = document.querySelector('output')
const context = document.querySelector('canvas')?.getContext('2d')
const show = (text: string): void => {
  if (output) output.textContent = text
}
addEventListener('error', ({ message }) => show(`Training has stopped: ${message}`))

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})
registerWasmGradients()

/** Selects the first backend that starts, and returns its name. */
async function selectBackend(names: readonly string[]): Promise<string> {
  for (const name of names) if (await tf.setBackend(name).catch(() => false)) return name
  throw new Error(`none of ${names.join(', ')} starts in this browser`)
}

const requested = new URLSearchParams(location.search).get('backend')
const backend = await selectBackend(requested ? [requested] : ['webgpu', 'webgl', 'wasm'])

/** Pictures and their one-hot labels, as tensors. */
function dataset(count: number, seed: number): { readonly x: tf.Tensor4D; readonly y: tf.Tensor } {
  const { pixels, labels } = digits(count, seed)
  const x = tf.tensor4d(pixels, [count, size, size, 1])
  return { x, y: tf.oneHot(tf.tensor1d([...labels], 'int32'), 10) }
}

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
model.compile({
  optimizer: new DiffGrad({ learningRate: 0.02 }),
  loss: 'categoricalCrossentropy',
  metrics: ['accuracy'],
})

const [batchSize, steps] = [25, 64]
const training = dataset(batchSize * steps, 1)
const losses: number[] = []
for (let step = 0; step < steps; step++) {
  const [x, y] = [training.x, training.y].map((all) => all.slice(step * batchSize, batchSize))
  const [loss = 0] = [await model.trainOnBatch(x, y)].flat()
  tf.dispose([x, y])
  losses.push(loss)
  show(`${backend}: step ${step + 1}, loss ${loss.toFixed(2)}`)
  context?.fillRect((320 * step) / steps, 239 - (239 * loss) / Math.max(...losses), 3, 3)
  await tf.nextFrame()
}
const validation = dataset(100, 2)
const [, accuracy] = model.evaluate(validation.x, validation.y) as tf.Scalar[]
const percent = Math.round(100 * ((await accuracy?.data())?.[0] ?? 0))
show(`${backend}: loss ${losses[0]?.toFixed(2)} → ${losses.at(-1)?.toFixed(2)}, ${percent} % right`)
