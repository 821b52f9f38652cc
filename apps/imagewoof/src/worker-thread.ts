import { Worker } from 'node:worker_threads'

interface PendingRequest<Response> {
  resolve(response: Response): void
  reject(error: Error): void
}

/** A worker thread that answers requests one after the other, each with one message. */
export class WorkerThread<Request, Response> {
  readonly #worker: Worker
  readonly #pending: PendingRequest<Response>[] = []
  #failure: Error | undefined

  /**
   * @param module - the worker's module without its extension.
   * @param workerData - is cloned.
   */
  constructor(module: URL, workerData: unknown) {
    this.#worker = startWorker(module, workerData)
    this.#worker.unref() // A process that forgets `dispose` can still exit.
    this.#worker.on('message', (response: Response) => {
      const request = this.#pending.shift()
      if (this.#pending.length === 0) this.#worker.unref()
      request?.resolve(response)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the worker thread has ended')))
  }

  /** Sends a request. @throws The error that ended the worker. */
  send(request: Request): Promise<Response> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  /** Ends the thread. A thread that computes in ONNX Runtime must have answered before. */
  async dispose(): Promise<void> {
    // Keeps the process alive until the worker has ended: a late response would call `unref`.
    this.#worker.removeAllListeners('message')
    this.#fail(new Error('the worker thread has been disposed'))
    this.#worker.ref()
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#pending.splice(0)) reject(this.#failure)
  }
}

/** Starts a .js module in a build. From TypeScript sources, as in tests, the worker registers tsx first. */
export function startWorker(module: URL, workerData: unknown): Worker {
  if (import.meta.url.endsWith('.js')) return new Worker(new URL(`${module}.js`), { workerData })
  const code = `import('tsx/esm/api').then(({ register }) => register()).then(() => import('${module}.ts'))`
  return new Worker(code, {
    eval: true,
    workerData,
    execArgv: ['--conditions=@diffgrad/source'],
  })
}
