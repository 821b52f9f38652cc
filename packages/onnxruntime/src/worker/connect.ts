import type { StepResult } from '../update/update.ts'
import { Calls } from './calls.ts'
import { type Method, methods, type RemoteTrainer } from './message.ts'

/** A worker of a browser, or of `node:worker_threads`. */
export interface WorkerLike {
  /** Sends a message, and with it the port that it names. */
  // biome-ignore lint/suspicious/noExplicitAny: Node and browsers have two types of the same port
  postMessage(message: unknown, transfer: any[]): void
  /** Ends the worker. */
  terminate(): unknown
}

/**
 * Connects to a trainer that a worker serves by `serveTrainer`. While it computes, this thread goes
 * on. `dispose` also ends the worker, when it is at rest: onnxruntime-node aborts the whole process if
 * a worker is terminated while it computes. Calls after the worker's end are errors.
 *
 * @throws What `Trainer.create` threw in the worker.
 */
export async function connectTrainer(worker: WorkerLike): Promise<RemoteTrainer> {
  const { port1: port, port2 } = new MessageChannel()
  const calls = new Calls(port)
  worker.postMessage(port2, [port2])
  await calls.answer(0)
  const entries = methods.map((method) => [
    method,
    (...given: unknown[]) => calls.make({ method, given }),
  ])
  // Every method is there, and answers as the trainer's own does.
  const remote = Object.fromEntries(entries) as Pick<RemoteTrainer, Method>
  const end = async (): Promise<void> => {
    try {
      await calls.end({ method: 'dispose', given: [] })
    } finally {
      port.close()
      await worker.terminate()
    }
  }
  let ended: Promise<void> | undefined
  return {
    ...remote,
    // A signal cannot be sent; that it aborts can.
    step(batch, { signal, ...choice } = {}) {
      const step = calls.make({ method: 'step', given: [batch, choice] }, signal)
      // Answered as `step` of the trainer answers.
      return step as Promise<StepResult>
    },
    dispose() {
      ended ??= end()
      return ended
    },
  }
}
