import { TrainerError } from '../error.ts'
import type { StepResult } from '../update/update.ts'
import { type Abort, type Answer, type Call, methods, type RemoteTrainer } from './message.ts'

/** A worker of a browser, or of `node:worker_threads`. */
export interface WorkerLike {
  /** Sends a message, and with it the port that it names. */
  // biome-ignore lint/suspicious/noExplicitAny: Node and browsers have two types of the same port
  postMessage(message: unknown, transfer: any[]): void
  /** Ends the worker. */
  terminate(): unknown
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * Connects to a trainer that a worker serves by `serveTrainer`. While it computes, this thread goes
 * on. `dispose` also ends the worker.
 *
 * @throws What `Trainer.create` threw in the worker.
 */
export async function connectTrainer(worker: WorkerLike): Promise<RemoteTrainer> {
  const { port1: port, port2 } = new MessageChannel()
  const waiting = new Map<number, Waiting>()
  let calls = 0
  const answerTo = (id: number): Promise<unknown> =>
    new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  const call = async (
    method: Call['method'],
    given: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<unknown> => {
    signal?.throwIfAborted()
    const id = ++calls
    port.postMessage({ id, method, given } satisfies Call)
    const abort = (): void => port.postMessage({ id, reason: signal?.reason } satisfies Abort)
    signal?.addEventListener('abort', abort)
    return answerTo(id).finally(() => signal?.removeEventListener('abort', abort))
  }
  port.onmessage = ({ data }: MessageEvent<Answer>) => {
    if ('error' in data) waiting.get(data.id)?.reject(data.error)
    else waiting.get(data.id)?.resolve(data.value)
    waiting.delete(data.id)
  }
  port.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new TrainerError('trainer: its worker ended'))
  })
  worker.postMessage(port2, [port2])
  await answerTo(0)
  const entries = methods.map((method) => [method, (...given: unknown[]) => call(method, given)])
  // Every method is there, and answers as the trainer's own does.
  const remote = Object.fromEntries(entries) as RemoteTrainer
  return {
    ...remote,
    // A signal cannot be sent; that it aborts can.
    step(batch, { signal } = {}) {
      const step = call('step', [batch], signal)
      // Answered as `step` of the trainer answers.
      return step as Promise<StepResult>
    },
    async dispose() {
      await remote.dispose()
      port.close()
      await worker.terminate()
    },
  }
}
