import '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromiumMissing, chromiumPath } from '@diffgrad/testing/chromium'
import { dawnProbe, type VulkanSupport, vulkanEnvironment } from '@diffgrad/testing/vulkan'
import {
  copyRegisteredKernels,
  findBackend,
  type KernelBackend,
  registerBackend,
} from '@tensorflow/tfjs-core'
import { type CheckResult, runChecks } from '../run-checks.ts'
import { runInChromium } from './chromium.ts'

/** A backend of TensorFlow.js in Node or in Chromium. */
export interface Target {
  readonly name: string
  /** What it needs and this machine lacks, if anything. */
  readonly missing?: string | undefined
  /** Whether it takes minutes, too long for every test run. */
  readonly slow?: boolean
  run(): Promise<readonly CheckResult[]>
}

const chromium = chromiumPath ? undefined : chromiumMissing

/** Every backend on which optimizers must run. `tensors` is one that has no engine of its own. */
export const targets: readonly Target[] = [
  { name: 'cpu', run: () => runChecks('cpu') },
  { name: 'wasm', run: () => runChecks('wasm') },
  { name: 'tensors', run: runUnrecognized },
  { name: 'wasm-threads', missing: chromium, run: () => runInChromium('wasm', '/isolated') },
  { name: 'webgl', missing: chromium, run: () => runInChromium('webgl') },
  { name: 'webgpu', missing: chromium, run: () => runInChromium('webgpu') },
  {
    name: 'webgpu in Node',
    get missing() {
      return vulkan().missing
    },
    slow: true,
    run: runInDawn,
  },
]

/** Runs on the cpu backend without the property by which it is recognized. */
function runUnrecognized(): Promise<readonly CheckResult[]> {
  const Cpu = findBackend('cpu').constructor as new () => KernelBackend // The class of the backend.
  registerBackend('unrecognized', () => {
    const backend = new Cpu()
    Reflect.deleteProperty(backend, 'blockSize')
    return backend
  })
  copyRegisteredKernels('cpu', 'unrecognized')
  return runChecks('unrecognized')
}

let support: VulkanSupport | undefined

/** Probes for a Vulkan driver, which starts a process, when it is first needed. */
function vulkan(): VulkanSupport {
  support ??= vulkanEnvironment(dawnProbe(new URL('.', import.meta.url)))
  return support
}

/** Runs on the webgpu backend in a child process of Node. */
async function runInDawn(): Promise<readonly CheckResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'dawn-'))
  const results = join(folder, 'results.json')
  const child = fileURLToPath(new URL('dawn-child.ts', import.meta.url))
  try {
    const options = ['--import', 'tsx', '--conditions=@diffgrad/source', child, results]
    const env = { ...process.env, ...vulkan().environment }
    await promisify(execFile)(process.execPath, options, { env })
    return JSON.parse(readFileSync(results, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
