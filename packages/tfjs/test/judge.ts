import { laws } from '@diffgrad/testing/conformance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { getBackend, memory, ready, setBackend } from '@tensorflow/tfjs-core'
import { facts } from './facts/index.ts'
import { subject } from './subject.ts'

/** What was found of one law or fact. */
export interface Verdict {
  readonly name: string
  /** Why it does not hold, or nothing. */
  readonly error?: string
  readonly milliseconds: number
}

/** Checks every law, and every fact about optimizers of TensorFlow.js, on a backend. */
export async function judge(backend: string): Promise<readonly Verdict[]> {
  registerWasmGradients()
  await setBackend(backend)
  await ready()
  if (getBackend() !== backend) throw new Error(`${backend} cannot run here`)
  const tensors = subject(backend)
  const checks = [
    ...laws.map(({ name, check }) => ({ name, check: () => check(tensors) })),
    ...facts.filter(({ on }) => on?.includes(backend) ?? backend !== 'plain'),
  ]
  const verdicts: Verdict[] = []
  for (const { name, check } of checks) {
    const start = performance.now()
    const before = memory().numTensors
    const error = await check().then(
      () => undefined,
      (reason: unknown) => (reason instanceof Error ? `${reason.stack}` : String(reason)),
    )
    tensors.clear()
    const left = memory().numTensors - before
    const leak = left === 0 ? undefined : `${left} tensors are left`
    const complaint = error ?? leak
    const milliseconds = performance.now() - start
    verdicts.push({ name, milliseconds, ...(complaint && { error: complaint }) })
  }
  return verdicts
}
