import type { Runtime } from '@diffgrad/onnxruntime'
import type { Engine } from './train-state.ts'

/** Fetches ONNX Runtime from the page's own files, the first time that it is asked for. */
export async function runtimeOf(engine: Engine): Promise<Runtime> {
  if (engine === 'webgpu') {
    if (!('gpu' in navigator)) throw new Error('This browser has no WebGPU. WebAssembly will do.')
    return import('onnxruntime-web/webgpu')
  }
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = 1 // More need a cross-origin-isolated page.
  return ort
}
