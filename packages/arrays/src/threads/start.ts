import { workerSource } from '../generated/worker.ts'
import type { HelperData } from './worker.ts'

/** Ends a helper at once. */
export type Stop = () => void

/**
 * Starts a thread that helps. Its code is a text rather than a file, which every bundler leaves as
 * it is; in a browser, the content security policy must allow `worker-src blob:`.
 */
export function startHelper(data: HelperData): Stop {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (node) {
    const worker = new node.Worker(workerSource, { eval: true, workerData: data })
    worker.unref() // A process that forgot `dispose` still exits.
    return () => worker.terminate()
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.postMessage(data)
  return () => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
}

/** How many threads the machine runs at the same time. */
export const availableThreads = (): number =>
  globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
  navigator.hardwareConcurrency
