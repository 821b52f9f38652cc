import { expect, test } from 'vitest'
import { type AdapterProbe, type VulkanHost, vulkanEnvironment } from '../src/vulkan.ts'

const linux: VulkanHost = {
  platform: 'linux',
  env: {},
  exists: (path) => path === '/usr/lib/chromium/vk_swiftshader_icd.json',
}
const swiftShader = {
  VK_ICD_FILENAMES: '/usr/lib/chromium/vk_swiftshader_icd.json',
  LD_LIBRARY_PATH: '/usr/lib/chromium',
}
const never: AdapterProbe = () => 'No supported adapters'
/** As with Mesa's lavapipe of 2022: a driver is installed and gives no adapter. */
const onlySwiftShader: AdapterProbe = (environment) =>
  environment.VK_ICD_FILENAMES ? undefined : 'No supported adapters'

test('a driver of the system that gives an adapter needs no environment', () => {
  expect(vulkanEnvironment(() => undefined, linux)).toEqual({ environment: {} })
})

test('SwiftShader is taken where the drivers of the system give no adapter', () => {
  expect(vulkanEnvironment(onlySwiftShader, linux)).toEqual({ environment: swiftShader })
})

test('SwiftShader beside CHROMIUM comes first, and LD_LIBRARY_PATH is kept', () => {
  const env = { CHROMIUM: '/opt/c/chrome', LD_LIBRARY_PATH: '/lib/x' }
  expect(vulkanEnvironment(onlySwiftShader, { ...linux, env, exists: () => true })).toEqual({
    environment: {
      VK_ICD_FILENAMES: '/opt/c/vk_swiftshader_icd.json',
      LD_LIBRARY_PATH: '/opt/c:/lib/x',
    },
  })
})

test.each<[string, Partial<VulkanHost>, RegExp]>([
  [
    'SwiftShader gives none either',
    {},
    /\(No supported adapters\), nor does SwiftShader in \/usr\/lib\/chromium \(No supported/,
  ],
  [
    'there is no SwiftShader',
    { exists: () => false },
    /\(No supported adapters\): install chromium/,
  ],
  [
    'the user has named a driver',
    { env: { VK_ICD_FILENAMES: '/my.json' } },
    /^the driver in VK_ICD_FILENAMES gives no WebGPU adapter: No supported adapters$/,
  ],
  ['it is macOS', { platform: 'darwin' }, /^there is no WebGPU adapter: No supported adapters$/],
])('without an adapter the reason is given: %s', (_, host, missing) => {
  expect(vulkanEnvironment(never, { ...linux, ...host })).toEqual({
    missing: expect.stringMatching(missing),
  })
})
