/** Something that is done at every frame until it is stopped, or fails. */
export class Animation {
  readonly #failed: () => void
  #request: number | undefined
  #failure = ''

  /** @param failed - is told when a task threw. */
  constructor(failed: () => void) {
    this.#failed = failed
  }

  get running(): boolean {
    return this.#request !== undefined
  }

  /** What the task threw that ran last, in words; empty if it threw nothing. */
  get failure(): string {
    return this.#failure
  }

  /**
   * Begins; what ran before ends.
   *
   * @param task - is told how many seconds have passed since it was last called. It ends by `stop`, and
   * when it throws.
   */
  start(task: (seconds: number) => void): void {
    this.stop()
    let before = performance.now()
    const frame = (now: number): void => {
      this.#request = requestAnimationFrame(frame)
      try {
        task(Math.max(now - before, 0) / 1000)
      } catch (error) {
        this.stop()
        this.#failure = `${error}`
        this.#failed()
      }
      before = now
    }
    this.#request = requestAnimationFrame(frame)
  }

  stop(): void {
    if (this.#request !== undefined) cancelAnimationFrame(this.#request)
    this.#request = undefined
    this.#failure = ''
  }
}
