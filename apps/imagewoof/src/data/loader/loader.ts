import { Worker } from 'node:worker_threads'
import type { Batch, Loader } from '../batch.ts'
import type { Dataset, Split } from '../dataset.ts'
import type { BatchOptions } from './build-batch.ts'
import type { BatchRequest, WorkerData } from './worker.ts'

/** Batches that each worker prepares ahead of their use. */
const prefetch = 4

export interface LoaderOptions extends BatchOptions {
  /** Worker threads; 1 by default, which prepares several hundred images per second. */
  readonly workers?: number
}

/**
 * Starts a loader of a data set. Training images that do not fill a last batch are skipped in that epoch;
 * each epoch has another order.
 */
export function createLoader(
  { size, classes, train, validation }: Dataset,
  { workers = 1, batch, seed, crop, flip, mixup, labelSmoothing }: LoaderOptions,
): Loader {
  const options = { batch, seed, crop, flip, mixup, labelSmoothing }
  const withoutFiles = ({ files, ...rest }: Split): Omit<Split, 'files'> => rest
  const data = {
    size,
    classes: classes.length,
    train: withoutFiles(train),
    validation: withoutFiles(validation),
  }
  const threads = Array.from({ length: workers }, () => new LoaderThread({ data, options }))
  const build = (request: BatchRequest): Promise<Batch> =>
    threads[request.index % workers].build(request)

  /** Yields batches in the order of the requests. Prefetched batches of an iterator left early are dropped. */
  async function* batchesOf(requests: Iterator<BatchRequest>): AsyncGenerator<Batch> {
    const pending: Promise<Batch>[] = []
    for (;;) {
      while (pending.length < prefetch * workers) {
        const { value, done } = requests.next()
        if (done) break
        const batch = build(value)
        batch.catch(() => {}) // The consumer gets the rejection when it awaits the batch.
        pending.push(batch)
      }
      const next = pending.shift()
      if (!next) return
      yield await next
    }
  }

  const batchesPerEpoch = Math.floor(train.labels.length / batch)
  const validationBatches = Math.ceil(validation.labels.length / batch)
  return {
    batchesPerEpoch,
    train: (epoch, firstBatch = 0) =>
      batchesOf(requestRange(firstBatch, batchesPerEpoch, { epoch })),
    validation: () => batchesOf(requestRange(0, validationBatches, {})),
    async dispose() {
      await Promise.all(threads.map((thread) => thread.dispose()))
    },
  }
}

function* requestRange(
  from: number,
  to: number,
  { epoch }: Pick<BatchRequest, 'epoch'>,
): Generator<BatchRequest, undefined> {
  for (let index = from; index < to; index++) {
    yield epoch === undefined ? { index } : { epoch, index }
  }
}

interface PendingRequest {
  readonly resolve: (batch: Batch) => void
  readonly reject: (error: Error) => void
}

/** A worker thread that builds batches one after the other. */
class LoaderThread {
  readonly #worker: Worker
  readonly #pending: PendingRequest[] = []
  #failure: Error | undefined

  constructor(data: WorkerData) {
    this.#worker = startWorker(data)
    this.#worker.unref() // A process that forgets `dispose` can still exit.
    this.#worker.on('message', (batch: Batch) => {
      const request = this.#pending.shift()
      if (this.#pending.length === 0) this.#worker.unref()
      request?.resolve(batch)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the loader has been disposed')))
  }

  build(request: BatchRequest): Promise<Batch> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  async dispose(): Promise<void> {
    // Keeps the process alive until the worker has ended: a late batch would call `unref`.
    this.#worker.removeAllListeners('message')
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure)
  }
}

/** Starts worker.js in a build. From TypeScript sources, as in tests, the worker registers tsx first. */
function startWorker(workerData: WorkerData): Worker {
  const built = new URL('./worker.js', import.meta.url)
  if (import.meta.url.endsWith('.js')) return new Worker(built, { workerData })
  const source = new URL('./worker.ts', import.meta.url)
  const code = `import('tsx/esm/api').then(({ register }) => register()).then(() => import('${source}'))`
  return new Worker(code, { eval: true, workerData })
}
