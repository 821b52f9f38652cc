import { spawnSync } from 'node:child_process'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { backend, type DataType, env, setBackend } from '@tensorflow/tfjs-core'

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

/** What WebGPU runs on: a graphics card, or a driver that computes on the CPU. */
export interface WebGpuAdapter {
  /** Such as `NVIDIA H100 PCIe`. */
  readonly name: string
  /** Whether it computes on the CPU, as SwiftShader and llvmpipe do. */
  readonly isSoftware: boolean
}

/** The adapter of WebGPU in Node, or why there is none. */
export type AdapterSearch =
  | { readonly adapter: WebGpuAdapter; readonly missing?: undefined }
  | { readonly adapter?: undefined; readonly missing: string }

/** Software drivers by the names of their adapters, some of which do not call themselves fallbacks. */
const softwareDrivers = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i

/** Asks in another process, because a missing or broken driver may print warnings or crash. */
export function findAdapter(): AdapterSearch {
  const webgpu = resolveWebGpu()
  if (webgpu === undefined) return { missing: 'the package webgpu is not installed' }
  const probe = `
    import { create } from '${webgpu}'
    const { info } = await create([]).requestAdapter({ powerPreference: 'high-performance' })
    const { description, device, architecture, vendor, isFallbackAdapter } = info
    const names = [description, device, architecture, vendor]
    process.stdout.write(JSON.stringify({ names, isFallbackAdapter }), () => process.exit(0))`
  const args = ['--input-type=module', '--eval', probe]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status === 0) return { adapter: adapterOf(JSON.parse(stdout)) }
  const [, vulkan] = stderr.match(/Couldn't load Vulkan: ([^\n]*)/) ?? []
  return { missing: vulkan ?? 'no driver has an adapter' }
}

/** @param names - of an adapter, the most specific first; empty where a driver leaves them out. */
export function adapterOf({
  names,
  isFallbackAdapter,
}: {
  readonly names: readonly string[]
  readonly isFallbackAdapter: boolean
}): WebGpuAdapter {
  return {
    name: names.find((name) => name !== '') ?? 'a graphics card without a name',
    isSoftware: isFallbackAdapter || names.some((name) => softwareDrivers.test(name)),
  }
}

/** The URL of the package `webgpu`, or undefined where it is not installed, as beside a bundle. */
function resolveWebGpu(): string | undefined {
  try {
    return import.meta.resolve('webgpu')
  } catch {
    return undefined
  }
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
