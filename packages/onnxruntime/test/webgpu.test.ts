import { execFileSync, spawnSync } from 'node:child_process'
import { diffGrad } from '@diffgrad/core'
import { crossEntropy } from '@diffgrad/onnx'
import { bundle } from '@diffgrad/testing/bundle'
import { expectClose } from '@diffgrad/testing/tolerance'
import { onnxRuntimeProbe, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { Trainer } from '../src/index.ts'
import { expectEqualTraining } from './equal-training.ts'
import {
  type DeviceReport,
  type MemoryReport,
  trainOnDevice,
  trainOnSizes,
} from './fixtures/device.ts'
import type { ProviderReport } from './fixtures/webgpu.ts'
import { smallModel, stripes } from './small-model.ts'

const vulkan = vulkanEnvironment(onnxRuntimeProbe(new URL('.', import.meta.url)))

/** What a fixture prints that runs with the graphics driver. */
async function run(fixture: string, ...args: readonly string[]): Promise<string> {
  const program = await bundle(import.meta.url, fixture)
  const env = { ...process.env, ...vulkan.environment }
  return execFileSync('node', ['--expose-gc', program, ...args], { encoding: 'utf8', env })
}

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

test.skipIf(vulkan.missing).each(process.env.ALL_OPTIMIZERS ? ['kernel', 'graph'] : ['graph'])(
  `WebGPU trains as the CPU does, and names unsupported operators beforehand: %s${vulkan.missing ? `; skipped: ${vulkan.missing}` : ''}`,
  async (update) => {
    const program = await bundle(import.meta.url, 'webgpu.ts')
    const [cpu, webgpu] = ['cpu', 'webgpu'].map((provider) =>
      train(program, [provider, update], vulkan.environment ?? {}),
    )
    if (cpu.error !== undefined || webgpu.error !== undefined)
      throw new Error(cpu.error ?? webgpu.error)
    expectClose(webgpu.losses, cpu.losses, { relative: 1e-3 })
    expectClose(webgpu.evaluated, cpu.evaluated, { relative: 1e-3 })
    expect(cpu.fallbacks).toEqual([])
    expect(webgpu.fallbacks).toEqual([])
    expect(webgpu.unsupported).toMatch(
      /provider webgpu: cannot run (MaxPool|BatchNormalization), which "\w+" needs: .+ not supported/,
    )
  },
)

/** All options at once, rules with sums, and an evaluation point, whose first step differs. `pnpm devices` trains with all rules. */
const optimizers = process.env.ALL_OPTIMIZERS
  ? []
  : ['ScheduleFreeAdamW', 'cautious diffGradNorm', 'everything']

test.skipIf(vulkan.missing)(
  'state stays on the device, and trains as on the CPU with every option',
  async () => {
    const devices: readonly DeviceReport[] = JSON.parse(
      await run('device-node.ts', 'webgpu', ...optimizers),
    )
    const onCpu = await trainOnDevice(ort, 'cpu', optimizers.length > 0 ? optimizers : undefined)
    for (const [i, device] of devices.entries()) expectEqualTraining(device, onCpu[i])
    expect(devices.length).toBe(onCpu.length)
  },
)

test.skipIf(vulkan.missing)(
  'training and evaluation stay on WebGPU, with every loss and every kind of network',
  async () => {
    expect(JSON.parse(await run('fallbacks.ts'))).toEqual([])
  },
)

test.skipIf(vulkan.missing || !process.env.ALL_OPTIMIZERS)(
  'the number of tensors on the device stays the same over 500 steps, and memory within a tenth',
  async () => {
    const { alive, resident }: MemoryReport = JSON.parse(
      await run('device-node.ts', 'steps', '500'),
    )
    console.log(`tensors on the device: ${alive}; resident MB: ${resident}`)
    expect(alive.at(-1)).toBe(0) // After `dispose`.
    expect(new Set(alive.slice(0, -1)).size).toBe(1)
    // It grows until some 1,300 steps, by an eighth in all, and then no more.
    expect(resident.at(-2)).toBeLessThan(1.1 * resident[0])
  },
)

test.skipIf(vulkan.missing || !process.env.ALL_OPTIMIZERS)(
  'batches of twelve sizes train on the device as on the CPU, with nine sessions at most',
  async () => {
    const { losses, sessions } = JSON.parse(await run('device-node.ts', 'sizes'))
    expectClose(losses, (await trainOnSizes(ort, 'cpu')).losses, { relative: 1e-3 })
    expect(sessions).toBeLessThanOrEqual(10) // One of them reads tensors.
  },
)

test('WebGPU keeps the layout of the model, unless another one is chosen', async () => {
  const created: unknown[] = []
  const InferenceSession = {
    async create(bytes: Uint8Array, { executionProviders }: ort.InferenceSession.SessionOptions) {
      created.push(executionProviders)
      return ort.InferenceSession.create(bytes)
    },
  } as typeof ort.InferenceSession
  for (const provider of ['webgpu', { name: 'webgpu', preferredLayout: 'NHWC' }, 'cpu'] as const) {
    const trainer = await Trainer.create({ ...ort, InferenceSession }, smallModel(), {
      loss: crossEntropy(),
      dimensions: { batch: 16 },
      optimizer: { rule: diffGrad },
      update: 'kernel',
      session: { executionProviders: [provider] },
    })
    await trainer.dispose()
  }
  const layouts = created.flat().map((provider) => {
    return provider instanceof Object && 'preferredLayout' in provider
      ? provider.preferredLayout
      : provider
  })
  expect([...new Set(layouts)].filter((layout) => layout !== undefined)).toEqual([
    'NCHW',
    'NHWC',
    'cpu',
  ])
})

// The messages of Dawn, of Vulkan and of browsers.
test.each([
  'WebGPU device lost (2): reset',
  'vkQueueSubmit failed with VK_ERROR_DEVICE_LOST',
  '[Device] is lost.',
])(
  'a lost device is an error that says what to do, and a checkpoint stays: %s',
  async (message) => {
    let isLost = false
    const InferenceSession = {
      async create(bytes: Uint8Array, options: ort.InferenceSession.SessionOptions) {
        const session = await ort.InferenceSession.create(bytes, options)
        const run = session.run.bind(session)
        session.run = async (feeds: ort.InferenceSession.FeedsType, ...rest: never[]) => {
          if (isLost) throw new Error(message)
          return run(feeds, ...rest)
        }
        return session
      },
    } as typeof ort.InferenceSession
    const options = {
      loss: crossEntropy(),
      dimensions: { batch: 16 },
      optimizer: { rule: diffGrad },
      update: 'graph',
    } as const
    const trainer = await Trainer.create({ ...ort, InferenceSession }, smallModel(), options)
    await trainer.step(stripes(0))
    const checkpoint = await trainer.save()
    isLost = true
    const remedy = `the device was lost (${message}), and with it what lay on it; create a new trainer and load the last checkpoint`
    await expect(trainer.step(stripes(1))).rejects.toThrow(remedy)
    await expect(trainer.evaluate(stripes(1))).rejects.toThrow(remedy)
    await expect(trainer.predict({ input: stripes(1).input })).rejects.toThrow(remedy)
    await trainer.dispose()

    const other = await Trainer.create(ort, smallModel(), options)
    await other.load(checkpoint)
    expect((await other.step(stripes(1))).updates).toBe(2)
    await other.dispose()
  },
)

// Only on Linux are graphics drivers chosen by files, which an environment variable can hide.
test.skipIf(process.platform !== 'linux')(
  'without a GPU adapter, the error names the provider, the rule and the remedy',
  async () => {
    const program = await bundle(import.meta.url, 'webgpu.ts')
    const noDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' }
    const { error } = train(program, ['webgpu', 'kernel'], noDriver)
    expect(error).toMatch(
      /^TrainerError: provider webgpu: must find a GPU adapter, but there is none \(.+\); install the Vulkan, .+ or chromium, .+ leave executionProviders out to train on the CPU$/,
    )
  },
)
