import { TrainerError } from '../errors.ts'
import type { StepResult } from '../update/update.ts'
import {
  deserializeError,
  type MethodCall,
  type RemoteMethod,
  type RemoteTrainer,
  remoteMethods,
  type WorkerRequest,
  type WorkerResponse,
} from './protocol.ts'

/** A worker of a browser, or of `node:worker_threads`. */
export interface WorkerLike {
  /** Sends a message and transfers the ports that it contains. */
  // biome-ignore lint/suspicious/noExplicitAny: Node and browsers have two types of the same port
  postMessage(message: unknown, transfer: any[]): void
  /** Stops the worker at once. */
  terminate(): unknown
}

/**
 * Connects to a trainer that a worker serves by `serveTrainer`. This thread's event loop runs on while
 * the worker computes. `dispose` also terminates the worker, after all earlier calls: onnxruntime-node
 * aborts the whole process if a worker is terminated while it computes.
 *
 * @throws What `Trainer.create` throws in the worker.
 */
export async function connectTrainer(worker: WorkerLike): Promise<RemoteTrainer> {
  const { port1: port, port2 } = new MessageChannel()
  const calls = new RemoteCalls(port)
  worker.postMessage(port2, [port2])
  await calls.response(0)
  const entries = remoteMethods.map((method) => [
    method,
    (...args: unknown[]) => calls.call({ method, args }),
  ])
  // The worker calls the trainer's own methods, so types of arguments and results are theirs.
  const remote = Object.fromEntries(entries) as Pick<RemoteTrainer, RemoteMethod>
  const end = async (): Promise<void> => {
    try {
      await calls.close({ method: 'dispose', args: [] })
    } finally {
      port.close()
      await worker.terminate()
    }
  }
  let ended: Promise<void> | undefined
  return {
    ...remote,
    step(batch, { signal, ...options } = {}) {
      const result = calls.call({ method: 'step', args: [batch, options] }, signal)
      // The worker calls `step` of the trainer.
      return result as Promise<StepResult>
    },
    dispose() {
      ended ??= end()
      return ended
    },
  }
}

interface PendingCall {
  readonly signal: AbortSignal | undefined
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Sends calls through a port and matches the responses to them, until the port closes. */
class RemoteCalls {
  readonly #port: MessagePort
  readonly #portClosed: Promise<void>
  readonly #pending = new Map<number, PendingCall>()
  #lastId = 0
  /** The error of all calls from now on. */
  #closedError: TrainerError | undefined

  constructor(port: MessagePort) {
    this.#port = port
    this.#portClosed = new Promise((resolve) => {
      port.addEventListener('close', () => {
        resolve()
        this.#rejectPending()
      })
    })
    port.onmessage = ({ data }: MessageEvent<WorkerResponse>) => this.#receive(data)
  }

  /** @throws What the method throws, the reason of the signal, or a TrainerError if the worker ended. */
  async call(call: MethodCall, signal?: AbortSignal): Promise<unknown> {
    if (this.#closedError) throw this.#closedError
    signal?.throwIfAborted()
    const id = ++this.#lastId
    this.#send({ id, call })
    const abort = (): void => this.#send({ id, aborted: true })
    signal?.addEventListener('abort', abort)
    return this.response(id, signal).finally(() => signal?.removeEventListener('abort', abort))
  }

  /** Makes the last call; resolves also if the worker ends without a response. */
  async close(call: MethodCall): Promise<void> {
    if (this.#closedError) return
    const last = this.call(call)
    this.#closedError = new TrainerError('trainer: was disposed of')
    await Promise.race([last, this.#portClosed])
  }

  /** Waits for the response of an id. */
  response(id: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => this.#pending.set(id, { signal, resolve, reject }))
  }

  #send(request: WorkerRequest): void {
    this.#port.postMessage(request)
  }

  #receive(response: WorkerResponse): void {
    const pending = this.#pending.get(response.id)
    this.#pending.delete(response.id)
    if ('value' in response) pending?.resolve(response.value)
    else
      pending?.reject(
        'aborted' in response ? pending.signal?.reason : deserializeError(response.error),
      )
  }

  #rejectPending(): void {
    const error = new TrainerError('trainer: its worker ended')
    this.#closedError ??= error
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}
