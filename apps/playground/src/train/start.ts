import type { News, Order } from './message.ts'

/** A training in a worker of its own. */
export interface Training {
  stop(): void
}

/** Starts a worker, which fetches all that training needs. */
export function start(order: Order, hear: (news: News) => void): Training {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }: MessageEvent<News>) => hear(data))
  worker.addEventListener('error', ({ message }) => {
    hear({ kind: 'failed', message: message || 'the worker could not be started' })
  })
  worker.postMessage(order)
  return { stop: () => worker.terminate() }
}
