import { TrainerError } from './errors.ts'

/** Runs asynchronous tasks one at a time, in the order in which they were added. */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  /**
   * Runs a task after all earlier ones have resolved or rejected.
   *
   * @throws {TrainerError} If the queue is closed.
   */
  run<R>(task: () => Promise<R>): Promise<R> {
    if (this.#closed) return Promise.reject(new TrainerError('trainer: was disposed of'))
    const result = this.#last.then(task, task)
    this.#last = result
    return result
  }

  /** Runs a last task and accepts no more. A second call waits for the first one's task. */
  async close(task: () => Promise<void>): Promise<void> {
    const last = this.#closed ? this.#last : this.run(task)
    this.#closed = true
    await last
  }
}

const nextTimer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/**
 * Throws if a signal has aborted. `session.run` blocks the event loop, so this yields to it first, to
 * deliver an abort that came meanwhile. It yields twice, because a message from another thread may
 * arrive only after the first timer.
 *
 * @throws The reason of the signal.
 */
export async function throwIfAborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal && !signal.aborted) {
    await nextTimer()
    await nextTimer()
  }
  signal?.throwIfAborted()
}
