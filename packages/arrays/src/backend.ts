import {
  type ArrayLists,
  arraySignature,
  type Backend,
  centralizeRows,
  euclideanNorm,
  type Kernel,
} from '@diffgrad/core'
import {
  type FloatArray,
  type KernelEngine,
  type KernelTier,
  memoryOf,
  zerosLike,
} from '@diffgrad/kernels'
import { mismatch } from './array-checks.ts'
import { StateAllocator } from './state-allocator.ts'

/** What runs an optimizer's kernels. */
export interface KernelReport {
  /**
   * `wasm-relaxed` and `wasm` are WebAssembly with and without fused multiply-adds; `javascript` are
   * kernels generated at build time; `interpreter` evaluates other rules where WebAssembly is forbidden.
   */
  readonly tier: KernelTier
  /** How many threads share the work on large parameter groups, of those that have started. */
  readonly threads: number
  /** Whether parameters are copied to where kernels work, and back. See `allocate`. */
  readonly copies: boolean
}

/** The backend for typed arrays, on an engine that runs the kernels. */
export class ArraysBackend implements Backend<FloatArray> {
  readonly mismatch: Backend<FloatArray>['mismatch'] = mismatch
  readonly signature: Backend<FloatArray>['signature'] = arraySignature
  readonly #rule: string
  readonly #engine: KernelEngine
  /** Only WebAssembly needs states in arenas. */
  readonly #allocator: StateAllocator | undefined
  #copies = false
  #disposed = false

  /** @param rule - the name in error messages. */
  constructor(rule: string, engine: KernelEngine) {
    this.#rule = rule
    this.#engine = engine
    const isWasm = engine.tier === 'wasm' || engine.tier === 'wasm-relaxed'
    this.#allocator = isWasm ? new StateAllocator() : undefined
  }

  zeros(like: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
    if (!this.#allocator) return this.scratch(like, names)
    const lists = this.#allocator.zeros(like, names)
    const rows = [like, ...Object.values(lists)]
    this.#copies ||= like.some((parameter, i) => {
      const memory = memoryOf(parameter)
      return !memory || rows.some((row) => memoryOf(row[i]) !== memory)
    })
    this.#startThreads(like)
    return lists
  }

  scratch(like: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
    return Object.fromEntries(names.map((name) => [name, like.map(zerosLike)]))
  }

  apply(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void {
    this.#checkNotDisposed()
    this.#engine.run(kernel, lists, coefficients, t)
  }

  norm(array: FloatArray): number {
    return euclideanNorm(array)
  }

  centralize(array: FloatArray, [rows]: readonly number[]): void {
    centralizeRows(array, rows)
  }

  read(array: FloatArray): FloatArray {
    this.#checkNotDisposed()
    return array.slice()
  }

  write(array: FloatArray, elements: FloatArray): void {
    this.#checkNotDisposed()
    array.set(elements)
  }

  get report(): KernelReport {
    const { tier, threads } = this.#engine
    return { tier, threads, copies: this.#copies }
  }

  /** Resolves when every thread has started, or failed to. */
  get ready(): Promise<void> {
    return this.#engine.ready
  }

  /** Frees the states and ends the threads. Any later call throws an error. */
  dispose(): void {
    this.#disposed = true
    this.#allocator?.free()
    this.#engine.dispose()
  }

  #startThreads(arrays: readonly FloatArray[]): void {
    try {
      this.#engine.startThreads(arrays)
    } catch (error) {
      const reason = error instanceof Error ? error.message : error
      throw new RangeError(`${this.#rule}: threads cannot be started here: ${reason}`, {
        cause: error,
      })
    }
  }

  #checkNotDisposed(): void {
    if (this.#disposed) throw new Error('the optimizer was disposed of')
  }
}
