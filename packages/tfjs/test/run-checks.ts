import { laws } from '@diffgrad/testing/conformance'
import { registerWasmGradients } from '@diffgrad/tfjs-wasm-gradients'
import { getBackend, memory, ready, setBackend } from '@tensorflow/tfjs-core'
import { behaviourChecks } from './checks/behaviour.ts'
import { deviceCallChecks } from './checks/device-calls.ts'
import type { Check } from './checks/fixtures.ts'
import { savingChecks } from './checks/saving.ts'
import { tfTrainChecks } from './checks/tf-train.ts'
import { trainingChecks } from './checks/training.ts'
import { conformanceAdapter } from './conformance-adapter.ts'

/** The result of one law or check. */
export interface CheckResult {
  readonly name: string
  /** The reason of a failure, or undefined. */
  readonly error?: string
  readonly milliseconds: number
}

const checks: readonly Check[] = [
  ...behaviourChecks,
  ...savingChecks,
  ...tfTrainChecks,
  ...trainingChecks,
  ...deviceCallChecks,
]

/**
 * Runs every law of the conformance suite and every check of this package on a backend. A check fails
 * if it throws or leaks a tensor.
 */
export async function runChecks(backend: string): Promise<readonly CheckResult[]> {
  registerWasmGradients()
  await setBackend(backend)
  await ready()
  if (getBackend() !== backend) throw new Error(`${backend} cannot run here`)
  const adapter = conformanceAdapter(backend)
  const selected: readonly Check[] = [
    ...laws.map(({ name, check }) => ({ name, run: () => check(adapter) })),
    ...checks.filter(({ backends }) => backends?.includes(backend) ?? backend !== 'unrecognized'),
  ]
  const results: CheckResult[] = []
  for (const { name, run } of selected) {
    const start = performance.now()
    const before = memory().numTensors
    const failure = await run().then(
      () => undefined,
      (reason: unknown) => (reason instanceof Error ? `${reason.stack}` : String(reason)),
    )
    adapter.dispose()
    const leaked = memory().numTensors - before
    const error = failure ?? (leaked === 0 ? undefined : `${leaked} tensors are leaked`)
    const milliseconds = performance.now() - start
    results.push({ name, milliseconds, ...(error && { error }) })
  }
  return results
}
