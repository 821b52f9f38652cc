import type { Hyperparameters } from '@diffgrad/core'
import type { Trainer } from '../trainer.ts'
import {
  type MethodCall,
  remoteMethods,
  serializeError,
  type WorkerRequest,
  type WorkerResponse,
} from './protocol.ts'

/**
 * Creates a trainer in this worker and serves it to `connectTrainer`. Call it once, in a module that
 * runs as a worker of a browser or of `node:worker_threads`.
 */
export async function serveTrainer<H extends Hyperparameters>(
  create: () => Promise<Trainer<H>>,
): Promise<void> {
  const port = await receivePort()
  const running = new Map<number, AbortController>()
  const respond = async (
    id: number,
    task: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> => {
    const controller = new AbortController()
    const { signal } = controller
    running.set(id, controller)
    const response: WorkerResponse = await task(signal).then(
      (value) => ({ id, value }),
      (error) =>
        signal.aborted && error === signal.reason
          ? { id, aborted: true }
          : { id, error: serializeError(error) },
    )
    running.delete(id)
    port.postMessage(response)
  }
  const creation = Promise.resolve().then(create)
  await respond(0, () => creation.then(() => undefined))
  port.onmessage = ({ data }: MessageEvent<WorkerRequest>) => {
    const { id } = data
    if ('aborted' in data) return running.get(id)?.abort()
    respond(id, async (signal) => callMethod(await creation, data.call, signal))
  }
}

function callMethod<H extends Hyperparameters>(
  trainer: Trainer<H>,
  call: MethodCall,
  signal: AbortSignal,
): Promise<unknown> {
  if (call.method === 'step') {
    const [batch, options] = call.args
    return trainer.step(batch, { ...options, signal })
  }
  if (!remoteMethods.includes(call.method))
    throw new TypeError(`worker: a trainer has no method ${call.method}`)
  // The caller uses the type RemoteTrainer, so the arguments are those of the method.
  const method = trainer[call.method] as (...args: readonly unknown[]) => Promise<unknown>
  return method.apply(trainer, [...call.args])
}

/** The port that `connectTrainer` sends first: to Node's parent port, or to the worker's global scope. */
async function receivePort(): Promise<MessagePort> {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  return new Promise((resolve) => {
    if (threads?.parentPort) threads.parentPort.once('message', resolve)
    else addEventListener('message', ({ data }) => resolve(data), { once: true })
  })
}
