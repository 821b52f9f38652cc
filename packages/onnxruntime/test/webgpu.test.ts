import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process'
import { onnxRuntimeProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import { expect, test } from 'vitest'
import { bundle } from './bundle.ts'

interface Report {
  readonly losses: readonly number[]
  readonly evaluated: number
  readonly fallbacks: readonly string[]
  readonly refusal: string
}

const vulkan = vulkanEnvironment(onnxRuntimeProbe(new URL('.', import.meta.url)))

/** A driver must be in the environment before a process starts. */
function train(program: string, provider: string, update: string): Report {
  const env = { ...process.env, ...vulkan.environment }
  const options: ExecFileSyncOptionsWithStringEncoding = {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  }
  return JSON.parse(execFileSync('node', [program, provider, update], options))
}

test.skipIf(!vulkan.environment).each(['kernel', 'graph'])(
  `WebGPU trains as the CPU does, and what it has not is named beforehand: %s${vulkan.missing ? `; skipped: ${vulkan.missing}` : ''}`,
  async (update) => {
    const program = await bundle('on-webgpu.ts')
    const [expected, found] = [train(program, 'cpu', update), train(program, 'webgpu', update)]
    for (const [t, loss] of [...expected.losses, expected.evaluated].entries())
      expect([...found.losses, found.evaluated][t]).toBeCloseTo(loss, 3)
    expect(expected.fallbacks).toEqual([])
    expect(found.fallbacks).toEqual(['LogSoftmax', 'OneHot'])
    expect(found.refusal).toMatch(
      /provider webgpu: cannot run (MaxPool|BatchNormalization), as "\w+" needs it: .+ not supported/,
    )
  },
)
