import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { backend } from '@tensorflow/tfjs-core'
import { judge, type Verdict } from '../judge.ts'

setWasmPaths('/wasm/')

/** Whether the wasm backend is the build for several threads. */
function sharesMemory(): boolean {
  const wasm: unknown = Reflect.get(backend(), 'wasm')
  const memory: unknown = Object(wasm).wasmMemory ?? Object(Object(wasm).asm).memory
  return memory instanceof WebAssembly.Memory && memory.buffer instanceof SharedArrayBuffer
}

async function inPage(name: string): Promise<readonly Verdict[]> {
  const verdicts = await judge(name)
  if (name === 'wasm' && sharesMemory() !== crossOriginIsolated) {
    throw new Error(`${name}: is the wrong build for an isolated page, or for one that is not`)
  }
  return verdicts
}

Object.assign(globalThis, { judge: inPage })
