import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { backend } from '@tensorflow/tfjs-core'
import { type CheckResult, runChecks } from '../run-checks.ts'

setWasmPaths('/wasm/')

/** Whether the wasm backend is the threaded build. */
function usesSharedMemory(): boolean {
  const wasm: unknown = Reflect.get(backend(), 'wasm')
  const memory: unknown = Object(wasm).wasmMemory ?? Object(Object(wasm).asm).memory
  return memory instanceof WebAssembly.Memory && memory.buffer instanceof SharedArrayBuffer
}

async function runInPage(name: string): Promise<readonly CheckResult[]> {
  const results = await runChecks(name)
  if (name === 'wasm' && usesSharedMemory() !== crossOriginIsolated) {
    throw new Error(`${name}: the build does not fit the page, which isolates origins or does not`)
  }
  return results
}

Object.assign(globalThis, { runChecks: runInPage })
