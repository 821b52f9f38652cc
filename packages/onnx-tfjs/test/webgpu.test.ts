import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expectClose } from '@diffgrad/testing/tolerance'
import { dawnProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { setBackend } from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { expect, test } from 'vitest'
import { train } from './small-training.ts'

const vulkan = vulkanEnvironment(dawnProbe(new URL('.', import.meta.url)))

test.skipIf(vulkan.missing)(
  `a step on webgpu reads once, submits twice, creates no buffers, and trains as on wasm${vulkan.missing ? `; skipped: ${vulkan.missing}` : ''}`,
  async () => {
    const child = fileURLToPath(new URL('webgpu-child.ts', import.meta.url))
    const args = ['--import', 'tsx', '--conditions=@diffgrad/source', child]
    const env = { ...process.env, ...vulkan.environment }
    const running = promisify(execFile)(process.execPath, args, { env })
    registerWasmGradients()
    await setBackend('wasm')
    const expected: number[] = []
    for await (const loss of train()) expected.push(loss)
    const steps: readonly Readonly<Record<string, number>>[] = JSON.parse((await running).stdout)
    expectClose(
      steps.map(({ loss }) => loss),
      expected,
      { relative: 1e-4 },
    )
    // The first steps fill the backend's list of free buffers.
    const { reads, submits, buffers } = steps[steps.length - 1]
    expect({ reads, submits, buffers }).toEqual({ reads: 1, submits: 2, buffers: 0 })
  },
)
