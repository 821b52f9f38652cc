/** Calls a function at every animation frame, until it is stopped or the function throws. */
export class Animation {
  readonly #onError: () => void
  #request: number | undefined
  #error = ''

  /** @param onError - is called after the frame function threw; `error` then holds the message. */
  constructor(onError: () => void) {
    this.#onError = onError
  }

  get running(): boolean {
    return this.#request !== undefined
  }

  /** What the frame function threw, as text; otherwise empty. */
  get error(): string {
    return this.#error
  }

  /**
   * Starts, in place of what ran before.
   *
   * @param onFrame - gets the seconds since its previous call.
   */
  start(onFrame: (seconds: number) => void): void {
    this.stop()
    let previous = performance.now()
    const frame = (now: number): void => {
      this.#request = requestAnimationFrame(frame)
      try {
        onFrame(Math.max(now - previous, 0) / 1000)
      } catch (error) {
        this.stop()
        this.#error = `${error}`
        this.#onError()
      }
      previous = now
    }
    this.#request = requestAnimationFrame(frame)
  }

  stop(): void {
    if (this.#request !== undefined) cancelAnimationFrame(this.#request)
    this.#request = undefined
    this.#error = ''
  }
}
