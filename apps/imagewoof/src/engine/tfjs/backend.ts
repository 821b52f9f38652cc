import '@tensorflow/tfjs-backend-wasm'
import { spawnSync } from 'node:child_process'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import * as tf from '@tensorflow/tfjs'

/** Makes a backend the current one: WebGPU where there is a graphics card, else WebAssembly. */
export async function useBackend(): Promise<void> {
  if (hasGraphicsCard()) {
    await offerWebGpu()
    await import('@tensorflow/tfjs-backend-webgpu')
    if (await tf.setBackend('webgpu')) return
  }
  registerWasmGradients()
  await tf.setBackend('wasm')
}

/** Ends well where there is an adapter that is not emulated. */
const probe = `
  import { create } from '${import.meta.resolve('webgpu')}'
  const adapter = await create([]).requestAdapter()
  process.exit(adapter && !adapter.info.isFallbackAdapter ? 0 : 1)
`

/** Asks in another process, because drivers that are missing or broken make noise, or worse. */
function hasGraphicsCard(): boolean {
  const args = ['--input-type=module', '--eval', probe]
  return spawnSync(process.execPath, args, { stdio: 'ignore' }).status === 0
}

/** Gives Node what browsers have. */
async function offerWebGpu(): Promise<void> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const value = { gpu: create([]), userAgent: 'Node' }
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true })
}
