/** Something that is done at every frame until it is stopped. */
export class Animation {
  #request: number | undefined

  get running(): boolean {
    return this.#request !== undefined
  }

  /**
   * Begins; what ran before ends.
   *
   * @param task - is told how many seconds have passed since it was last called. It ends by `stop`.
   */
  start(task: (seconds: number) => void): void {
    this.stop()
    let before = performance.now()
    const frame = (now: number): void => {
      this.#request = requestAnimationFrame(frame)
      task(Math.max(now - before, 0) / 1000)
      before = now
    }
    this.#request = requestAnimationFrame(frame)
  }

  stop(): void {
    if (this.#request !== undefined) cancelAnimationFrame(this.#request)
    this.#request = undefined
  }
}
