import {
  type ArrayLists,
  arraySignature,
  type Backend,
  centralizeRows,
  euclideanNorm,
  type Kernel,
  type Parameter,
} from '@diffgrad/core'
import {
  type FloatArray,
  type KernelEngine,
  type KernelTier,
  memoryOf,
  zerosLike,
} from '@diffgrad/kernels'
import { arenaOf } from './arena.ts'
import { mismatch, overlappingPair, untrainable } from './array-checks.ts'
import { MemoryRegions } from './memory-regions.ts'
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

/** What an array of an optimizer is. */
interface ArrayName {
  readonly kind: 'parameter' | 'state'
  readonly name: string
}

/** The backend for typed arrays, on an engine that runs the kernels. */
export class ArraysBackend implements Backend<FloatArray> {
  readonly mismatch: Backend<FloatArray>['mismatch'] = mismatch
  readonly signature: Backend<FloatArray>['signature'] = arraySignature
  readonly #rule: string
  readonly #engine: KernelEngine
  /** Only WebAssembly needs states in arenas. */
  readonly #allocator: StateAllocator | undefined
  /** The parameters outside arenas, with their lengths when their states were allocated. */
  readonly #lengths = new Map<FloatArray, number>()
  /** The memory of parameters and states. */
  readonly #regions = new MemoryRegions()
  /** The names of parameters and states, for error messages. */
  readonly #names = new WeakMap<FloatArray, ArrayName>()
  #copies = false
  #disposed = false

  /** @param rule - the name in error messages. */
  constructor(rule: string, engine: KernelEngine) {
    this.#rule = rule
    this.#engine = engine
    const isWasm = engine.tier === 'wasm' || engine.tier === 'wasm-relaxed'
    this.#allocator = isWasm ? new StateAllocator() : undefined
  }

  /**
   * Checks new parameters, before anything changes.
   *
   * @throws TypeError naming the first one that cannot be trained.
   */
  checkTrainable(parameters: readonly Parameter<FloatArray>[]): void {
    const refuse = (reason: string): never => {
      throw new TypeError(`${this.#rule}: ${reason}`)
    }
    for (const { name, value, shape } of parameters) {
      const reason = untrainable(value, shape)
      if (reason) refuse(`the parameter ${name} ${reason}`)
      for (const other of this.#regions.overlapping(value)) {
        const known = this.#names.get(other)
        if (known?.kind === 'state') {
          refuse(`the parameter ${name} shares memory with the state ${known.name}`)
        }
        // The one that it replaces, or else one of the same name, which is refused for that.
        if (known && known.name !== name) {
          refuse(`the parameters ${known.name} and ${name} share memory`)
        }
      }
    }
    const pair = overlappingPair(parameters.map(({ name, value }) => [name, value]))
    if (pair && pair[0] !== pair[1]) refuse(`the parameters ${pair[0]} and ${pair[1]} share memory`)
    for (const { name, value } of parameters) this.#names.set(value, { kind: 'parameter', name })
  }

  /**
   * Checks that every parameter has the elements that it had when its states were allocated.
   *
   * @throws RangeError naming the first one whose buffer was detached or resized.
   */
  checkLengths(): void {
    for (const [parameter, length] of this.#lengths) {
      if (parameter.length === length) continue
      const name = this.#names.get(parameter)?.name
      const reason =
        parameter.length === 0
          ? 'has lost its elements: its buffer is detached or shrunk'
          : `has ${parameter.length} elements, but had ${length} when it was added; replace it`
      throw new RangeError(`${this.#rule}: the parameter ${name} ${reason}`)
    }
  }

  overlap(gradient: FloatArray): string | undefined {
    const [array] = this.#regions.overlapping(gradient)
    const known = array && this.#names.get(array)
    return (
      known &&
      `shares memory with the ${known.kind} ${known.name}, which would change before it is read`
    )
  }

  /** The buffers of arenas are never resized, and engines refuse to detach them. */
  isFixed(array: FloatArray): boolean {
    return arenaOf(array) !== undefined
  }

  zeros(like: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
    const lists = this.#allocate(like, names)
    for (const parameter of like) {
      if (!this.isFixed(parameter)) this.#lengths.set(parameter, parameter.length)
      this.#regions.add(parameter)
    }
    for (const [name, arrays] of Object.entries(lists)) {
      for (const array of arrays) {
        this.#names.set(array, { kind: 'state', name })
        this.#regions.add(array)
      }
    }
    return lists
  }

  free(states: readonly FloatArray[], parameters: readonly FloatArray[]): void {
    for (const parameter of parameters) this.#lengths.delete(parameter)
    for (const array of [...states, ...parameters]) this.#regions.delete(array)
    this.#allocator?.free(states)
  }

  #allocate(like: readonly FloatArray[], names: readonly string[]): ArrayLists<FloatArray> {
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
    this.checkNotDisposed()
    this.#engine.run(kernel, lists, coefficients, t)
  }

  sums(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>> {
    this.checkNotDisposed()
    return this.#engine.sums(kernel, lists, coefficients)
  }

  norm(array: FloatArray): number {
    return euclideanNorm(array)
  }

  centralize(array: FloatArray, [rows]: readonly number[]): void {
    centralizeRows(array, rows)
  }

  read(array: FloatArray): FloatArray {
    this.checkNotDisposed()
    return array.slice()
  }

  write(array: FloatArray, elements: FloatArray): void {
    this.checkNotDisposed()
    array.set(elements)
  }

  /** The array itself: the exchange between ranks changes it in place. */
  toHost(array: FloatArray): FloatArray {
    return array
  }

  fromHost(): void {}

  get report(): KernelReport {
    const { tier, threads } = this.#engine
    return { tier, threads, copies: this.#copies }
  }

  /** Resolves when every thread has started, or failed to. */
  get ready(): Promise<void> {
    return this.#engine.ready
  }

  /** @throws Error after `dispose`. */
  checkNotDisposed(): void {
    if (this.#disposed) throw new Error(`${this.#rule}: the optimizer was disposed of`)
  }

  /** Frees the states and ends the threads. */
  dispose(): void {
    this.#disposed = true
    this.#allocator?.freeAll()
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
}
