import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Native WebGPU on Linux needs a Vulkan driver. A driver that is installed need not work: Mesa's
// lavapipe of some years has no adapter for Dawn. So these functions ask for an adapter.

/**
 * Asks for a WebGPU adapter in a child process with additional environment variables. Returns
 * undefined if there is one, else the reason why not.
 */
export type AdapterProbe = (environment: Readonly<Record<string, string>>) => string | undefined

/** The environment of a process that uses native WebGPU, or why it cannot and what to install. */
export type VulkanSupport =
  | { readonly environment: Readonly<Record<string, string>>; readonly missing?: undefined }
  | { readonly environment?: undefined; readonly missing: string }

/** What decides which driver is used, apart from the probe. */
export interface VulkanHost {
  readonly platform: NodeJS.Platform
  readonly env: Readonly<Record<string, string | undefined>>
  exists(path: string): boolean
}

const swiftShaderDriver = 'vk_swiftshader_icd.json'
const chromiumFolders = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome']

/**
 * Chooses the Vulkan driver for native WebGPU: those of the system (or the one that VK_ICD_FILENAMES
 * or VK_DRIVER_FILES names) if they give an adapter, else SwiftShader of an installed Chromium if
 * that does. The environment must be set before the process that uses WebGPU starts.
 */
export function vulkanEnvironment(
  probe: AdapterProbe,
  { platform, env, exists }: VulkanHost = { ...process, exists: existsSync },
): VulkanSupport {
  const reason = probe({})
  if (reason === undefined) return { environment: {} }
  const named = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'].find((name) => env[name])
  if (named) return { missing: `the driver in ${named} gives no WebGPU adapter: ${reason}` }
  if (platform !== 'linux') return { missing: `there is no WebGPU adapter: ${reason}` }

  const folders = [...(env.CHROMIUM ? [dirname(env.CHROMIUM)] : []), ...chromiumFolders]
  const folder = folders.find((candidate) => exists(join(candidate, swiftShaderDriver)))
  if (!folder) {
    return {
      missing: `no Vulkan driver gives a WebGPU adapter (${reason}): install chromium, which includes SwiftShader, or set VK_ICD_FILENAMES to the driver of a GPU`,
    }
  }
  const environment = {
    VK_ICD_FILENAMES: join(folder, swiftShaderDriver),
    LD_LIBRARY_PATH: [folder, ...(env.LD_LIBRARY_PATH ? [env.LD_LIBRARY_PATH] : [])].join(':'),
  }
  const swiftShaderReason = probe(environment)
  if (swiftShaderReason === undefined) return { environment }
  return {
    missing: `no Vulkan driver gives a WebGPU adapter (${reason}), nor does SwiftShader in ${folder} (${swiftShaderReason})`,
  }
}

/** Asks Dawn of the npm package `webgpu`, resolved from `folder`. */
export const dawnProbe = (folder: string | URL): AdapterProbe =>
  probeWith(
    folder,
    `const { create } = await import('webgpu')
    if (!(await create([]).requestAdapter())) throw new Error('Dawn found no adapter')`,
  )

/** Asks the WebGPU provider of `onnxruntime-node`, resolved from `folder`, to compute −1. */
export const onnxRuntimeProbe = (folder: string | URL): AdapterProbe =>
  probeWith(
    folder,
    `const { InferenceSession, Tensor } = await import('onnxruntime-node')
    const model = Buffer.from('${negation}', 'base64')
    const session = await InferenceSession.create(model, { executionProviders: ['webgpu'] })
    await session.run({ x: new Tensor('float32', [1], [1]) })`,
  )

/** An ONNX model: y = −x for one float32. */
const negation = 'CAhCAhANOjIKCwoBeBIBeSIDTmVnEgFnWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAQ=='

/** Runs a module in a new process of Node. An error that it throws is the reason. */
function probeWith(folder: string | URL, program: string): AdapterProbe {
  const cwd = typeof folder === 'string' ? folder : fileURLToPath(folder)
  // The runtimes keep a process alive, and print warnings on either stream.
  const marker = 'reason: '
  const source = `try {
    ${program}
    process.exit(0)
  } catch (error) {
    console.error('${marker}' + error.message)
    process.exit(1)
  }`
  return (environment) => {
    const { status, signal, error, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', source],
      { cwd, env: { ...process.env, ...environment }, encoding: 'utf8', timeout: 60_000 },
    )
    if (status === 0) return undefined
    const line = stderr?.split('\n').find((text) => text.startsWith(marker))
    return line?.slice(marker.length) ?? error?.message ?? `it ended with ${signal ?? status}`
  }
}
