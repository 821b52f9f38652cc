import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { backend, type DataType, env, setBackend } from '@tensorflow/tfjs-core'
import { findAdapter } from './adapter.ts'

/** Selects TensorFlow.js's backend in Node: WebGPU if there is a graphics card, else WebAssembly. */
export async function selectBackend(): Promise<void> {
  const { adapter } = findAdapter()
  if (adapter && !adapter.isSoftware) {
    await defineWebGpu()
    await import('@tensorflow/tfjs-backend-webgpu')
    if (await setBackend('webgpu')) return prepareWebGpu()
  }
  await import('@tensorflow/tfjs-backend-wasm')
  registerWasmGradients()
  await setBackend('wasm')
}

/** The members of the webgpu backend that are used here. */
interface WebGpuBackend {
  readonly queue: GPUQueue
  readonly tensorMap: {
    get(dataId: object): {
      readonly dtype: DataType
      readonly resource: GPUBuffer | null
      values: ArrayLike<number> | null
    }
  }
  uploadToGPU(dataId: object): void
}

/** Commands in one submission: the backend's own 15 make ninety submissions of an XResNet-18's step. */
const commandsPerSubmission = 128

/**
 * Sets the current backend, webgpu, up for training: long command buffers, and uploads through the queue.
 * For every upload, of constants too, the backend itself would create, map, copy from and destroy a buffer,
 * and end its compute pass. A buffer that it hands out is in no command that waits for its submission, so
 * the queue may write to it at once.
 */
export function prepareWebGpu(): void {
  env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', commandsPerSubmission)
  const webgpu = backend() as unknown as WebGpuBackend // Its types do not show these members.
  const upload = webgpu.uploadToGPU
  webgpu.uploadToGPU = (dataId) => {
    const data = webgpu.tensorMap.get(dataId)
    const { resource, values, dtype } = data
    if (resource || !values) return upload.call(webgpu, dataId)
    data.values = null // Then the backend acquires a buffer, and uploads nothing.
    upload.call(webgpu, dataId)
    const elements =
      values instanceof Float32Array
        ? values
        : dtype === 'float32'
          ? Float32Array.from(values)
          : Int32Array.from(values)
    if (data.resource) webgpu.queue.writeBuffer(data.resource, 0, elements)
  }
}

/** Defines the globals of WebGPU that browsers have. */
async function defineWebGpu(): Promise<void> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const value = { gpu: create([]), userAgent: 'Node' }
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true })
}
