import { Worker } from 'node:worker_threads'
import type { Batch } from '../batch.ts'
import type { Order, WorkerData } from './worker.ts'

/** Who waits for a batch. */
interface Waiting {
  readonly resolve: (batch: Batch) => void
  readonly reject: (error: Error) => void
}

/** A thread that makes batches, one after the other. */
export class Workman {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #failure: Error | undefined

  constructor(data: WorkerData) {
    this.#worker = startWorker(data)
    this.#worker.unref() // A process that forgot `dispose` still exits.
    this.#worker.on('message', (batch: Batch) => {
      const waiting = this.#waiting.shift()
      if (this.#waiting.length === 0) this.#worker.unref()
      waiting?.resolve(batch)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the loader has been disposed')))
  }

  make(order: Order): Promise<Batch> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(order)
    })
  }

  async dispose(): Promise<void> {
    // The process has to wait for the end, and no late batch may let it go.
    this.#worker.removeAllListeners('message')
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}

/** In a build the worker is JavaScript; among sources, where tests run, tsx has to read it. */
function startWorker(workerData: WorkerData): Worker {
  const built = new URL('./worker.js', import.meta.url)
  if (import.meta.url.endsWith('.js')) return new Worker(built, { workerData })
  const source = new URL('./worker.ts', import.meta.url)
  const code = `import('tsx/esm/api').then(({ register }) => register()).then(() => import('${source}'))`
  return new Worker(code, { eval: true, workerData })
}
