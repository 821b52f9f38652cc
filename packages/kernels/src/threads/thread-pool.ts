import { workerSource } from '../generated/worker.ts'
import type { KernelPool, StartPool } from '../wasm/launch.ts'
import type { KernelFunction } from '../wasm/module.ts'
import {
  closed,
  codeBegin,
  codeBytes,
  field,
  runChunks,
  type WorkerInput,
} from './control-block.ts'

/** More workers do not fit into the lowest byte of a generation. */
const mostWorkers = closed - 1

/** Starts threads as workers, which take chunks of elements until none is left. */
export const startPool: StartPool = (memory, threads) => {
  if (threads !== 'auto') return new ThreadPool(memory, threads)
  try {
    return new ThreadPool(memory, availableThreads())
  } catch {
    return undefined
  }
}

class ThreadPool implements KernelPool {
  readonly ready: Promise<void>
  readonly #fields: Int32Array<SharedArrayBuffer>
  readonly #bytes: Uint8Array<SharedArrayBuffer>
  readonly #stop: () => void
  /** Where each module lies in the control block. */
  readonly #codeAddresses = new Map<Uint8Array, number>()
  #nextCode = codeBegin
  #generation = 0

  /**
   * Starts the workers. Until they are ready, fewer threads work. They end with `dispose`, or once nothing
   * refers to the pool any more.
   *
   * @throws Error if a worker cannot be started, as under the permission model of Node.
   */
  constructor(memory: WebAssembly.Memory, threads: number) {
    const controlBlock = new SharedArrayBuffer(codeBegin + codeBytes)
    const fields = new Int32Array(controlBlock, 0, codeBegin / 4)
    this.#fields = fields
    this.#bytes = new Uint8Array(controlBlock)
    const workers = startWorkers({ controlBlock, memory }, Math.min(threads - 1, mostWorkers))
    this.ready = Promise.all(workers.map(({ started }) => started)).then(() => {})
    // It must not refer to the pool, which would then never be collected.
    this.#stop = () => stopWorkers(fields, workers)
    droppedPools.register(this, this.#stop, this)
  }

  get threads(): number {
    return 1 + Atomics.load(this.#fields, field.started)
  }

  run(kernel: KernelFunction, code: Uint8Array, argumentsAt: number, elements: number): void {
    const fields = this.#fields
    const codeAt = this.#codeAddress(code)
    const workers = codeAt === undefined ? 0 : Atomics.load(fields, field.started)
    fields[field.next] = 0
    fields[field.total] = elements
    fields[field.finished] = 0
    fields[field.argumentsAt] = argumentsAt
    fields[field.codeAt] = codeAt ?? 0
    fields[field.codeLength] = code.length
    this.#generation += 256
    Atomics.store(fields, field.generation, this.#generation | workers)
    Atomics.notify(fields, field.generation)
    runChunks(fields, kernel)
    this.#waitFor(workers)
  }

  dispose(): void {
    this.#stop()
    droppedPools.unregister(this)
  }

  /** Waits until the workers have finished; a browser's main thread, which may not block, spins. */
  #waitFor(workers: number): void {
    for (;;) {
      const finished = Atomics.load(this.#fields, field.finished)
      if (finished === workers) return
      if (mayBlock) Atomics.wait(this.#fields, field.finished, finished)
    }
  }

  /** Returns the address of a module in the control block; undefined if there is no room for it. */
  #codeAddress(code: Uint8Array): number | undefined {
    const known = this.#codeAddresses.get(code)
    if (known !== undefined) return known
    const address = this.#nextCode
    if (address + code.length > this.#bytes.length) return undefined
    this.#bytes.set(code, address)
    this.#codeAddresses.set(code, address)
    this.#nextCode += code.length
    return address
  }
}

const mayBlock = ((): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
    return true
  } catch {
    return false
  }
})()

/** Returns how many threads the machine runs at the same time. */
const availableThreads = (): number =>
  globalThis.process?.getBuiltinModule?.('node:os').availableParallelism() ??
  navigator.hardwareConcurrency

/** Ends the workers of pools that were dropped without `dispose`. */
const droppedPools = new FinalizationRegistry((stop: () => void) => stop())

interface StartedWorker {
  /** Resolves when the worker has started, failed to start, or was stopped. */
  readonly started: Promise<void>
  stop(): void
}

/** Starts workers: all, or none if one cannot be started. */
function startWorkers(input: WorkerInput, count: number): readonly StartedWorker[] {
  const workers: StartedWorker[] = []
  try {
    while (workers.length < count) workers.push(startWorker(input))
    return workers
  } catch (error) {
    for (const worker of workers) worker.stop()
    throw error
  }
}

function stopWorkers(
  fields: Int32Array<SharedArrayBuffer>,
  workers: readonly StartedWorker[],
): void {
  Atomics.store(fields, field.generation, closed)
  Atomics.notify(fields, field.generation)
  for (const worker of workers) worker.stop()
}

/**
 * Starts a worker. Its code is a string rather than a file, which bundlers leave alone; in a browser,
 * the content security policy must allow `worker-src blob:`.
 */
function startWorker(input: WorkerInput): StartedWorker {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  if (node) {
    const worker = new node.Worker(workerSource, { eval: true, workerData: input })
    const started = new Promise<void>((resolve) => {
      for (const event of ['message', 'error', 'exit']) worker.once(event, () => resolve())
    })
    // From then on, a process that does not call `dispose` can exit.
    started.then(() => worker.unref())
    return { started, stop: () => void worker.terminate() }
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const worker = new Worker(url)
  let resolveStarted = (): void => {}
  const started = new Promise<void>((resolve) => {
    resolveStarted = resolve
    for (const event of ['message', 'error']) worker.addEventListener(event, () => resolve())
  })
  worker.postMessage(input)
  return {
    started,
    stop() {
      worker.terminate()
      URL.revokeObjectURL(url)
      resolveStarted()
    },
  }
}
