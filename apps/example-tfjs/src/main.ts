import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import { batch, createModel } from './model.ts'
import { drawLosses, Predictions } from './view.ts'

// `?backend=wasm` selects a backend, and `?batch=8` the batch size.
const query = new URLSearchParams(location.search)
const batchSize = Number(query.get('batch') ?? 32)
const steps = 1000

/** The longest time that a backend may take to start, in milliseconds. */
const startLimit = 30_000

const element = <T extends HTMLElement>(id: string, type: new () => T): T => {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`the page has no ${id}`)
}
const show = (id: string, text: string): void => {
  element(id, HTMLOutputElement).value = text
}

/** Shows why training does not start or has stopped: the first reason, which others may follow from. */
function showError(reason: unknown): void {
  const paragraph = element('error', HTMLParagraphElement)
  if (!paragraph.hidden) return
  // Emscripten throws the event of a worker, and TensorFlow.js rejects with objects.
  const message: unknown = Object(reason).message
  paragraph.textContent = `Training has stopped: ${message ?? reason}`
  paragraph.hidden = false
}
addEventListener('error', ({ error, message }) => showError(error ?? message))
addEventListener('unhandledrejection', ({ reason }) => showError(reason))

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})
registerWasmGradients()

/** Selects the first backend that starts, and returns its name. */
async function selectBackend(names: readonly string[]): Promise<string> {
  for (const name of names) {
    const started = await Promise.race([tf.setBackend(name).catch(() => false), timeout()])
    if (started) return name
  }
  throw new Error(`none of ${names.join(', ')} starts in this browser`)
}

const timeout = (): Promise<false> =>
  new Promise((resolve) => setTimeout(() => resolve(false), startLimit))

const requested = query.get('backend')
const backend = await selectBackend(requested ? [requested] : ['webgpu', 'webgl', 'wasm'])
show('backend', backend)

const model = createModel()
const predictions = new Predictions(element('pictures', HTMLUListElement))
const losses: number[] = []
for (let step = 0; step < steps; step++) {
  const start = performance.now()
  const { images, labels } = batch(step * batchSize, batchSize)
  const loss = Number(await model.trainOnBatch(images, labels))
  tf.dispose([images, labels])
  const seconds = (performance.now() - start) / 1000
  losses.push(loss)
  show('step', `${step + 1}`)
  show('loss', loss.toFixed(3))
  show('speed', (batchSize / seconds).toFixed(0))
  drawLosses(element('losses', HTMLCanvasElement), losses)
  if (step % 5 === 0) await predictions.update(model)
  dispatchEvent(new CustomEvent('trained', { detail: { step: step + 1, loss, backend } }))
  await tf.nextFrame()
}
