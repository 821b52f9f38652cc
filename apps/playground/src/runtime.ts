import type { Runtime } from '@diffgrad/onnxruntime'
import type { ExecutionProvider } from './state.ts'

/** Loads the build of ONNX Runtime that has an execution provider. */
export async function loadRuntime(provider: ExecutionProvider): Promise<Runtime> {
  if (provider === 'webgpu') {
    if (!('gpu' in navigator)) throw new Error('This browser has no WebGPU. WebAssembly will do.')
    return import('onnxruntime-web/webgpu')
  }
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = 1 // More threads need a cross-origin-isolated page.
  return ort
}
