import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})
registerWasmGradients()

/** Makes the first backend that is there the current one, and gives its name. */
export async function useFirst(backends: readonly string[]): Promise<string> {
  for (const backend of backends) {
    if (await tf.setBackend(backend).catch(() => false)) return backend
  }
  throw new Error(`none of ${backends.join(', ')} is there`)
}
