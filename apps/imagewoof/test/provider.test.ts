import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { adapterOf } from '@diffgrad/onnx-tfjs/adapter'
import { onnxRuntimeProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import { expect, test } from 'vitest'
import { chooseProvider, type ProviderSearch } from '../src/provider.ts'
import { fileFolder, historyOf, run, signalBeforeWrite, tinyNetwork } from './command.ts'
import { writePatterns } from './images.ts'

const folder = fileFolder()
const cache = join(folder, 'cache')

/** A machine with an adapter of WebGPU, or none, and with or without CUDA. */
const machine = (name: string | undefined, cuda: boolean): ProviderSearch => ({
  findAdapter: () =>
    name === undefined
      ? { missing: 'no driver has an adapter' }
      : { adapter: adapterOf({ names: [name, ''], isFallbackAdapter: false }) },
  sessionFailure: (provider) =>
    provider === 'cuda' && !cuda ? 'Failed to load shared library' : undefined,
})

test.each([
  ['NVIDIA H100', true, 'webgpu', 'provider auto: found NVIDIA H100; chose webgpu'],
  [
    'SwiftShader driver 5.0.0',
    false,
    'cpu',
    'provider auto: found SwiftShader driver 5.0.0, which is software; chose cpu',
  ],
  [
    'llvmpipe (LLVM 15.0.6, 256 bits)',
    true,
    'cuda',
    'provider auto: found llvmpipe (LLVM 15.0.6, 256 bits), which is software, and CUDA; chose cuda',
  ],
  [
    undefined,
    false,
    'cpu',
    'provider auto: found no graphics card for WebGPU (no driver has an adapter); chose cpu',
  ],
] as const)('auto on %s, CUDA %s, chooses %s', (name, cuda, provider, line) => {
  expect(chooseProvider('auto', machine(name, cuda))).toEqual({ provider, line })
})

test('auto does not choose a card on which ONNX Runtime fails', () => {
  const broken = { ...machine('NVIDIA H100', false), sessionFailure: () => 'it crashed' }
  expect(chooseProvider('auto', broken)).toEqual({
    provider: 'cpu',
    line: 'provider auto: found no graphics card for WebGPU (it crashed); chose cpu',
  })
})

// Only on Linux are graphics drivers chosen by files, which an environment variable can hide.
const noDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' }
const missingDriver =
  /^error: --provider webgpu: no graphics card was found \(.+\); install the Vulkan loader .+ libvulkan1 .+ or leave --provider out to use the CPU\n$/

test.skipIf(process.platform !== 'linux')(
  'without a driver, webgpu is refused with what to install',
  async () => {
    const saved = join(folder, 'saved')
    await mkdir(saved)
    await writeFile(join(saved, 'config.json'), '{}')
    const commands = [
      ...[['train'], ['compare'], ['lr-find'], ['predict', saved, folder]],
      ...[
        ['resume', saved],
        ['evaluate', saved],
      ],
    ]
    const results = commands.map((args) => run([...args, '--provider', 'webgpu'], cache, noDriver))
    for (const { code, errors } of await Promise.all(results)) {
      expect(errors).toMatch(missingDriver)
      expect(code).toBe(1)
    }
  },
)

const vulkan = vulkanEnvironment(onnxRuntimeProbe(new URL('.', import.meta.url)))

test.skipIf(vulkan.missing)(
  `a run that began on webgpu resumes on the CPU, which is said and recorded${vulkan.missing ? `; skipped: ${vulkan.missing}` : ''}`,
  async () => {
    const data = await writePatterns(join(folder, 'data'), { train: 6, validation: 2 })
    const out = join(folder, 'run')
    const options = [...tinyNetwork, '--epochs', '1', '--save-every', '0']
    const train = ['train', '--data', data, '--out', out, ...options, '--provider', 'webgpu']
    const signal = signalBeforeWrite('SIGINT', 'last.safetensors')
    const { output } = await run(train, cache, { ...vulkan.environment, ...signal })
    expect(output).toMatch(/^provider webgpu: \S/)
    expect(output).toContain(`resume ${out} --provider webgpu`)
    const step = historyOf(out).losses.length
    const resumed = await run(['resume', out], cache)
    expect(resumed.output).toContain('provider: webgpu → cpu. From here on, results differ')
    expect(resumed.code).toBe(0)
    expect(historyOf(out).providerChanges).toEqual([{ step, from: 'webgpu', to: 'cpu' }])
  },
)
