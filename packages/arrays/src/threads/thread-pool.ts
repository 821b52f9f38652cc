import type { WasmKernel } from '../wasm/module.ts'
import { closed, codeBegin, codeBytes, takeChunks, word } from './control.ts'
import { type Stop, startHelper } from './start.ts'

/** From so many elements on, waking a helper costs less than it saves. */
export const worthwhile = 250_000

/** More helpers than a round can name. */
const mostHelpers = closed - 1

/** Threads that share the work of kernels on one memory. The calling thread is one of them. */
export class ThreadPool {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #code: Uint8Array<SharedArrayBuffer>
  readonly #stops: readonly Stop[]
  /** Where the modules are that helpers have been given. */
  readonly #places = new Map<Uint8Array, number>()
  #nextCode = codeBegin
  #rounds = 0

  /** Helpers come up by and by; until then there are fewer at work. */
  constructor(memory: WebAssembly.Memory, threads: number) {
    const control = new SharedArrayBuffer(codeBegin + codeBytes)
    this.#words = new Int32Array(control, 0, codeBegin / 4)
    this.#code = new Uint8Array(control)
    const helpers = Math.min(threads - 1, mostHelpers)
    this.#stops = Array.from({ length: helpers }, () => startHelper({ control, memory }))
  }

  /** How many threads are at work, the calling one included. */
  get threads(): number {
    return 1 + Atomics.load(this.#words, word.ready)
  }

  /**
   * Runs a kernel over some elements, whose arguments lie at `block`.
   *
   * @param code - its module, for the other threads: the same object every time.
   */
  run(kernel: WasmKernel, code: Uint8Array, block: number, elements: number): void {
    const words = this.#words
    const at = this.#placeOf(code)
    const helpers = at === undefined ? 0 : Atomics.load(words, word.ready)
    words[word.next] = 0
    words[word.total] = elements
    words[word.finished] = 0
    words[word.block] = block
    words[word.codeAt] = at ?? 0
    words[word.codeLength] = code.length
    this.#rounds += 256
    Atomics.store(words, word.round, this.#rounds | helpers)
    Atomics.notify(words, word.round)
    takeChunks(words, kernel)
    this.#await(helpers)
  }

  /** Ends all helpers. */
  dispose(): void {
    Atomics.store(this.#words, word.round, closed)
    Atomics.notify(this.#words, word.round)
    for (const stop of this.#stops) stop()
  }

  /** Waits for the last chunks; the main thread of a browser, which may not sleep, keeps asking. */
  #await(helpers: number): void {
    for (;;) {
      const finished = Atomics.load(this.#words, word.finished)
      if (finished === helpers) return
      if (maySleep) Atomics.wait(this.#words, word.finished, finished)
    }
  }

  /** Where a module lies for the helpers; nowhere, if there is no room for it. */
  #placeOf(code: Uint8Array): number | undefined {
    const known = this.#places.get(code)
    if (known !== undefined) return known
    const at = this.#nextCode
    if (at + code.length > this.#code.length) return undefined
    this.#code.set(code, at)
    this.#places.set(code, at)
    this.#nextCode += code.length
    return at
  }
}

const maySleep = ((): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
    return true
  } catch {
    return false
  }
})()
