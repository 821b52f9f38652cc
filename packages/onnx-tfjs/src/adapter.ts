import { spawnSync } from 'node:child_process'

// Apart from backend.ts, so that a program that asks for the adapter need not load TensorFlow.js.

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
