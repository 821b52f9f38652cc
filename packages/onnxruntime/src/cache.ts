/** Values by key. Those beyond a number are released, the least recently used first. */
export class Cache<V> {
  readonly #most: number
  readonly #release: (value: V) => Promise<void>
  readonly #values = new Map<string, V>()

  constructor(most: number, release: (value: V) => Promise<void>) {
    this.#most = most
    this.#release = release
  }

  /** Returns the value of a key, or builds it. A failure is not kept, since a retry may succeed. */
  async load(key: string, build: () => V | Promise<V>): Promise<V> {
    const value = this.#values.has(key) ? (this.#values.get(key) as V) : await build()
    this.#values.delete(key)
    this.#values.set(key, value)
    const [oldest] = this.#values
    if (oldest && this.#values.size > this.#most) {
      this.#values.delete(oldest[0])
      await this.#release(oldest[1])
    }
    return value
  }

  /** The values, the least recently used first. */
  get values(): readonly V[] {
    return [...this.#values.values()]
  }

  /** Releases all values. */
  async release(): Promise<void> {
    const { values } = this
    this.#values.clear()
    await Promise.all(values.map((value) => this.#release(value)))
  }
}
