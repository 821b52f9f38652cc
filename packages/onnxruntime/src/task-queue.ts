import { TrainerError } from './error.ts'

/** Carries tasks out one after the other, each when the one before has ended, well or badly. */
export class TaskQueue {
  #last: Promise<unknown> = Promise.resolve()
  #ended = false

  /** Carries out a task when its turn has come. */
  take<R>(task: () => Promise<R>): Promise<R> {
    if (this.#ended) return Promise.reject(new TrainerError('trainer: was disposed of'))
    const turn = this.#last.then(task, task)
    this.#last = turn
    return turn
  }

  /** Carries out the last task; a second call waits for the first. */
  async end(task: () => Promise<void>): Promise<void> {
    const last = this.#ended ? this.#last : this.take(task)
    this.#ended = true
    await last
  }
}
