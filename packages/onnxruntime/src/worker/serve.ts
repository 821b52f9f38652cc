import type { CommonOptions } from '@diffgrad/core'
import type { Trainer } from '../trainer.ts'
import { type Answer, type Call, methods } from './message.ts'

/**
 * Makes a trainer in this worker and lets `connectTrainer` use it. It is the last call of a module
 * that runs as a worker, of a browser or of Node.
 */
export async function serveTrainer<O extends CommonOptions>(
  make: () => Promise<Trainer<O>>,
): Promise<void> {
  const port = await firstPort()
  const answer = async (id: number, task: () => Promise<unknown>): Promise<void> => {
    const message: Answer = await task().then(
      (value) => ({ id, value }),
      (error) => ({ id, error }),
    )
    port.postMessage(message)
  }
  let trainer: Trainer<O> | undefined
  await answer(0, async () => {
    trainer = await make()
  })
  port.onmessage = ({ data }: MessageEvent<Call>) =>
    answer(data.id, async () => {
      if (!trainer || !methods.includes(data.method)) throw new TypeError(`no ${data.method}`)
      // The other side calls through RemoteTrainer, whose types are those of the methods.
      const method = trainer[data.method] as (...given: readonly unknown[]) => Promise<unknown>
      return method.apply(trainer, [...data.given])
    })
}

/** The port that the other side sends first: to Node's parent port, or to the worker itself. */
async function firstPort(): Promise<MessagePort> {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  return new Promise((resolve) => {
    if (node?.parentPort) node.parentPort.once('message', resolve)
    else addEventListener('message', ({ data }) => resolve(data), { once: true })
  })
}
