import type { Progress, Screen } from '../terminal/screen.ts'

/** A trial, told apart by its identity. */
interface ShownTrial {
  readonly name: string
}

/** Shows the trials that run, each with a bar, below one of the whole plan. */
export class TrialsProgress {
  readonly #screen: Screen
  readonly #total: number | undefined
  #ended: number
  readonly #running = new Map<ShownTrial, Progress | undefined>()

  /**
   * @param ended - number of trials that had ended before.
   * @param total - undefined where more trials may come.
   */
  constructor(screen: Screen, ended = 0, total?: number) {
    this.#screen = screen
    this.#ended = ended
    this.#total = total
    this.#show()
  }

  /** Adds a trial, or shows how far it is. */
  update(trial: ShownTrial, progress?: Progress): void {
    this.#running.set(trial, progress)
    this.#show()
  }

  /** Writes a line of a trial above the bars. */
  line({ name }: ShownTrial, text: string): void {
    for (const line of text.split('\n')) this.#screen.write(`${name}: ${line}`)
  }

  /** Removes a trial that is not trained any more. */
  remove(trial: ShownTrial, hasEnded: boolean): void {
    this.#running.delete(trial)
    if (hasEnded) this.#ended++
    this.#show()
  }

  /** Hides all bars. */
  stop(): void {
    this.#screen.hide()
  }

  #show(): void {
    const all = { task: 'trials', done: this.#ended, total: this.#total }
    const count = this.#total === undefined ? 'ended' : `of ${this.#total}`
    const details = [`${this.#ended} ${count}`]
    const running = [...this.#running].map(([{ name }, progress]) =>
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
