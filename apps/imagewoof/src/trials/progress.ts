import type { Progress, Screen } from '../terminal/screen.ts'
import type { RemainingRun } from './plan.ts'

/** Shows the trials that run, each with a bar, below one of the whole plan. */
export class TrialsProgress {
  readonly #screen: Screen
  readonly #total: number
  #ended: number
  readonly #running = new Map<number, { readonly name: string; progress: Progress | undefined }>()

  /** @param ended - number of trials of `total` that had ended before. */
  constructor(screen: Screen, ended: number, total: number) {
    this.#screen = screen
    this.#ended = ended
    this.#total = total
    this.#show()
  }

  /** Adds a trial, or shows how far it is. */
  update({ number, name }: RemainingRun, progress?: Progress): void {
    this.#running.set(number, { name, progress })
    this.#show()
  }

  /** Writes a line of a trial above the bars. */
  line({ name }: RemainingRun, text: string): void {
    for (const line of text.split('\n')) this.#screen.write(`${name}: ${line}`)
  }

  /** Removes a trial that is not trained any more. */
  remove({ number }: RemainingRun, hasEnded: boolean): void {
    this.#running.delete(number)
    if (hasEnded) this.#ended++
    this.#show()
  }

  /** Hides all bars. */
  stop(): void {
    this.#screen.hide()
  }

  #show(): void {
    const all = { task: 'trials', done: this.#ended, total: this.#total }
    const details = [`${this.#ended} of ${this.#total}`]
    const running = [...this.#running.values()].map(({ name, progress }) =>
      progress
        ? {
            ...progress,
            task: `${name} ${progress.task === 'training' ? '' : progress.task}`.trim(),
          }
        : { task: name, done: 0, total: undefined, details: [] },
    )
    this.#screen.showAll([{ ...all, details }, ...running])
  }
}
