import { spawnSync } from 'node:child_process'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { setBackend } from '@tensorflow/tfjs-core'

/** Selects TensorFlow.js's backend in Node: WebGPU if there is a graphics card, else WebAssembly. */
export async function selectBackend(): Promise<void> {
  if (hasGraphicsCard()) {
    await defineWebGpu()
    await import('@tensorflow/tfjs-backend-webgpu')
    if (await setBackend('webgpu')) return
  }
  await import('@tensorflow/tfjs-backend-wasm')
  registerWasmGradients()
  await setBackend('wasm')
}

/** Asks in another process, because a missing or broken driver may print warnings or crash. */
function hasGraphicsCard(): boolean {
  const webgpu = resolveWebGpu()
  if (webgpu === undefined) return false
  const probe = `
    import { create } from '${webgpu}'
    const adapter = await create([]).requestAdapter()
    process.exit(adapter && !adapter.info.isFallbackAdapter ? 0 : 1)`
  const args = ['--input-type=module', '--eval', probe]
  return spawnSync(process.execPath, args, { stdio: 'ignore' }).status === 0
}

/** The URL of the package `webgpu`, or undefined where it is not installed, as beside a bundle. */
function resolveWebGpu(): string | undefined {
  try {
    return import.meta.resolve('webgpu')
  } catch {
    return undefined
  }
}

/** Defines the globals of WebGPU that browsers have. */
async function defineWebGpu(): Promise<void> {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const value = { gpu: create([]), userAgent: 'Node' }
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true })
}
