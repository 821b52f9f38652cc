import { chromiumMissing, chromiumPath } from '@diffgrad/testing/chromium'
import type { Verdict } from '../judge.ts'
import { inChromium } from './chromium.ts'
import { driver, inDawn } from './dawn.ts'
import { inNode } from './node.ts'

/** A backend of TensorFlow.js, somewhere. */
export interface Host {
  readonly name: string
  /** What it takes and is not here, if anything. */
  readonly missing?: string | undefined
  /** Whether it takes minutes, too long for every test run. */
  readonly slow?: boolean
  judge(): Promise<readonly Verdict[]>
}

const chromium = chromiumPath ? undefined : chromiumMissing
const vulkan = driver ? undefined : 'no Vulkan driver is known (set VK_ICD_FILENAMES to one)'

/** Every backend that an optimizer is to run on. `tensors` is one of which it knows nothing. */
export const hosts: readonly Host[] = [
  { name: 'cpu', judge: () => inNode('cpu') },
  { name: 'wasm', judge: () => inNode('wasm') },
  { name: 'tensors', judge: () => inNode('plain') },
  { name: 'wasm-threads', missing: chromium, judge: () => inChromium('wasm', '/isolated') },
  { name: 'webgl', missing: chromium, judge: () => inChromium('webgl') },
  { name: 'webgpu', missing: chromium, judge: () => inChromium('webgpu') },
  { name: 'webgpu in Node', missing: vulkan, slow: true, judge: inDawn },
]
