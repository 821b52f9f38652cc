import { spawnSync } from 'node:child_process'
import { expectClose } from '@diffgrad/testing/tolerance'
import { onnxRuntimeProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import { expect, test } from 'vitest'
import { bundle } from './bundle.ts'
import type { ProviderReport } from './fixtures/webgpu.ts'

const vulkan = vulkanEnvironment(onnxRuntimeProbe(new URL('.', import.meta.url)))

type Environment = Readonly<Record<string, string>>

/** Trains in a new process, since a driver is chosen by the environment that a process starts with. */
function train(program: string, args: readonly string[], environment: Environment): ProviderReport {
  const env = { ...process.env, ...environment }
  const { status, stdout, stderr } = spawnSync('node', [program, ...args], {
    encoding: 'utf8',
    env,
  })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout)
}

test.skipIf(vulkan.missing).each(['kernel', 'graph'])(
  `WebGPU trains as the CPU does, and names unsupported operators beforehand: %s${vulkan.missing ? `; skipped: ${vulkan.missing}` : ''}`,
  async (update) => {
    const program = await bundle('webgpu.ts')
    const [cpu, webgpu] = ['cpu', 'webgpu'].map((provider) =>
      train(program, [provider, update], vulkan.environment ?? {}),
    )
    if (cpu.error !== undefined || webgpu.error !== undefined)
      throw new Error(cpu.error ?? webgpu.error)
    expectClose(webgpu.losses, cpu.losses, { relative: 1e-3 })
    expectClose(webgpu.evaluated, cpu.evaluated, { relative: 1e-3 })
    expect(cpu.fallbacks).toEqual([])
    expect(webgpu.fallbacks).toEqual(['LogSoftmax', 'OneHot'])
    expect(webgpu.unsupported).toMatch(
      /provider webgpu: cannot run (MaxPool|BatchNormalization), which "\w+" needs: .+ not supported/,
    )
  },
)

// Only on Linux are graphics drivers chosen by files, which an environment variable can hide.
test.skipIf(process.platform !== 'linux')(
  'without a GPU adapter, the error names the provider, the rule and the remedy',
  async () => {
    const program = await bundle('webgpu.ts')
    const noDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' }
    const { error } = train(program, ['webgpu', 'kernel'], noDriver)
    expect(error).toMatch(
      /^TrainerError: provider webgpu: must find a GPU adapter, but there is none \(.+\); install the Vulkan, .+ or chromium, .+ leave executionProviders out to train on the CPU$/,
    )
  },
)
