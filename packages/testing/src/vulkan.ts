import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

const driver = 'vk_swiftshader_icd.json'

/** Where Chromium and its relatives keep SwiftShader, a Vulkan driver that needs no GPU. */
const folders = [
  ...(process.env.CHROMIUM ? [dirname(process.env.CHROMIUM)] : []),
  ...['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome'],
]

/** Says how a machine without a Vulkan driver gets one. */
export const withoutVulkan: string =
  'there is no Vulkan driver: install chromium, which brings SwiftShader, or set VK_ICD_FILENAMES to that of a GPU'

/**
 * What must be in the environment of a new process so that native WebGPU finds a driver: nothing
 * where the system or the user has named one; else that of SwiftShader, or `undefined` where it is not.
 */
export function vulkanEnvironment(): Readonly<Record<string, string>> | undefined {
  const { platform, env } = process
  const named = env.VK_ICD_FILENAMES ?? env.VK_DRIVER_FILES
  const installed = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some(existsSync)
  if (platform !== 'linux' || named || installed) return {}
  const folder = folders.find((folder) => existsSync(join(folder, driver)))
  if (!folder) return undefined
  const libraries = [folder, ...(env.LD_LIBRARY_PATH ? [env.LD_LIBRARY_PATH] : [])].join(':')
  return { VK_ICD_FILENAMES: join(folder, driver), LD_LIBRARY_PATH: libraries }
}
