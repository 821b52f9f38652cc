import type { Hyperparameters } from '@diffgrad/core'
import type { Trainer } from '../trainer.ts'
import { type Answer, type Call, type Message, methods } from './message.ts'
import { sentError } from './sent-error.ts'

/**
 * Makes a trainer in this worker and lets `connectTrainer` use it. It is the last call of a module
 * that runs as a worker, of a browser or of Node.
 */
export async function serveTrainer<O extends Hyperparameters>(
  make: () => Promise<Trainer<O>>,
): Promise<void> {
  const port = await firstPort()
  const running = new Map<number, AbortController>()
  const answer = async (
    id: number,
    task: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> => {
    const controller = new AbortController()
    const { signal } = controller
    running.set(id, controller)
    const message: Answer = await task(signal).then(
      (value) => ({ id, value }),
      (error) =>
        signal.aborted && error === signal.reason
          ? { id, aborted: true }
          : { id, error: sentError(error) },
    )
    running.delete(id)
    port.postMessage(message)
  }
  const made = Promise.resolve().then(make)
  await answer(0, () => made.then(() => undefined))
  port.onmessage = ({ data }: MessageEvent<Message>) => {
    const { id } = data
    if ('aborted' in data) return running.get(id)?.abort()
    answer(id, async (signal) => carryOut(await made, data.call, signal))
  }
}

function carryOut<O extends Hyperparameters>(
  trainer: Trainer<O>,
  call: Call,
  signal: AbortSignal,
): Promise<unknown> {
  if (call.method === 'step') {
    const [batch, choice] = call.given
    return trainer.step(batch, { ...choice, signal })
  }
  if (!methods.includes(call.method)) throw new TypeError(`no ${call.method}`)
  // The other side calls through RemoteTrainer, whose types are those of the methods.
  const method = trainer[call.method] as (...given: readonly unknown[]) => Promise<unknown>
  return method.apply(trainer, [...call.given])
}

/** The port that the other side sends first: to Node's parent port, or to the worker itself. */
async function firstPort(): Promise<MessagePort> {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  return new Promise((resolve) => {
    if (node?.parentPort) node.parentPort.once('message', resolve)
    else addEventListener('message', ({ data }) => resolve(data), { once: true })
  })
}
