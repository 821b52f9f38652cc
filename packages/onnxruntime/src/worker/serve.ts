import type { CommonOptions } from '@diffgrad/core'
import type { Trainer } from '../trainer.ts'
import { type Abort, type Answer, type Call, methods } from './message.ts'

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
  const steps = new Map<number, AbortController>()
  port.onmessage = ({ data }: MessageEvent<Call | Abort>) => {
    if (!('method' in data)) return steps.get(data.id)?.abort(data.reason)
    const { id, method: name } = data
    const controller = new AbortController()
    steps.set(id, controller)
    const given = name === 'step' ? [...data.given, controller] : data.given
    answer(id, async () => {
      if (!trainer || !methods.includes(name)) throw new TypeError(`no ${name}`)
      // The other side calls through RemoteTrainer, whose types are those of the methods.
      const method = trainer[name] as (...given: readonly unknown[]) => Promise<unknown>
      return method.apply(trainer, [...given])
    }).finally(() => steps.delete(id))
  }
}

/** The port that the other side sends first: to Node's parent port, or to the worker itself. */
async function firstPort(): Promise<MessagePort> {
  const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')
  return new Promise((resolve) => {
    if (node?.parentPort) node.parentPort.once('message', resolve)
    else addEventListener('message', ({ data }) => resolve(data), { once: true })
  })
}
