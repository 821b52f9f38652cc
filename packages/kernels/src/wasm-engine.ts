import { type ArrayLists, type Graph, type Kernel, trace } from '@diffgrad/core'
import type { GeneratedKernels } from './generated-kernels.ts'
import { JavaScriptEngine } from './javascript-engine.ts'
import { sumsByName } from './sums.ts'
import { type Dtype, dtypeOf, type FloatArray } from './typed-arrays.ts'
import { checkWasm, KernelMemory, type KernelPool, memoryOf } from './wasm/launch.ts'
import { padding } from './wasm/loop.ts'
import { KernelLaunch, Plan, PlanCache } from './wasm/plan.ts'
import { type KernelLists, segmentsOf } from './wasm/staging.ts'
import { wholeSums } from './wasm/sums.ts'

const pageBytes = 65536

/** The minimum size for threads: below it, waking a worker takes longer than it saves. */
const minimumPooledElements = 250_000

/** Runs kernels as WebAssembly. A kernel is compiled when it first runs. */
export class WasmEngine {
  readonly tier: 'wasm' | 'wasm-relaxed'
  readonly #threads: number | 'auto'
  readonly #staging: StagingMemories
  readonly #pools = new Map<KernelMemory, KernelPool>()
  readonly #plans = new WeakMap<Kernel, PlanCache>()
  readonly #javascript: JavaScriptEngine

  /**
   * @param threads - the most threads that share the work in one memory.
   * @param generated - for the last elements of sums, which are no whole vector.
   * @throws Error if WebAssembly is missing or forbidden, or has no memory left.
   */
  constructor(
    tier: 'wasm' | 'wasm-relaxed',
    threads: number | 'auto',
    generated: GeneratedKernels,
  ) {
    checkWasm(tier === 'wasm-relaxed')
    this.tier = tier
    this.#threads = threads
    this.#staging = stagingMemories()
    this.#javascript = new JavaScriptEngine('javascript', generated)
  }

  get threads(): number {
    return Math.max(1, ...[...this.#pools.values()].map((pool) => pool.threads))
  }

  get ready(): Promise<void> {
    return Promise.all([...this.#pools.values()].map((pool) => pool.ready)).then(() => {})
  }

  startThreads(arrays: readonly FloatArray[]): void {
    if (this.#threads === 1) return
    const elements = new Map<KernelMemory, number>()
    for (const array of arrays) {
      const memory = memoryOf(array)
      if (memory?.startPool) elements.set(memory, (elements.get(memory) ?? 0) + array.length)
    }
    for (const [memory, count] of elements) {
      if (count < minimumPooledElements || this.#pools.has(memory)) continue
      const pool = memory.startPool?.(memory.memory, this.#threads)
      if (pool) this.#pools.set(memory, pool)
    }
  }

  run(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    const graph = trace(kernel)
    const arrays = graph.arrays.map((name) => lists[name])
    const scalars = graph.coefficients.map((name) => coefficients[name])
    const options = { t, relaxed: this.tier === 'wasm-relaxed' }
    this.#planFor(kernel, graph, arrays).run(arrays, scalars, options)
  }

  sums(
    kernel: Kernel,
    lists: ArrayLists<FloatArray>,
    coefficients: Readonly<Record<string, number>>,
  ): Readonly<Record<string, readonly number[]>> {
    return sumsByName(kernel, lists, coefficients, (...call) => this.#sumsOf(...call))
  }

  /** Sums whole vectors by WebAssembly, and the elements after them by JavaScript. */
  #sumsOf(
    graph: Graph,
    arrays: readonly (FloatArray | undefined)[],
    coefficients: readonly number[],
  ): readonly number[] {
    const inputs = arrays.flatMap((array) => array ?? [])
    const [{ length }] = inputs
    const memory =
      inputs.map(memoryOf).find((one) => one !== undefined) ?? this.#staging[dtypeOf(inputs[0])]
    const pool = length >= minimumPooledElements ? this.#pools.get(memory) : undefined
    const whole = wholeSums(graph, arrays, coefficients, { memory, pool })
    const from = whole ? length - (length % padding) : 0
    if (whole && from === length) return whole
    const rest = arrays.map((array) => array?.subarray(from))
    const others = this.#javascript.sumsOf(graph, rest, coefficients)
    return others.map((sum, i) => sum + (whole?.[i] ?? 0))
  }

  dispose(): void {
    for (const pool of this.#pools.values()) pool.dispose()
  }

  #planFor(kernel: Kernel, graph: Graph, lists: KernelLists): Plan {
    const cache = this.#plans.get(kernel) ?? new PlanCache()
    this.#plans.set(kernel, cache)
    return cache.planFor(lists, () => {
      const segments = segmentsOf(lists, (dtype) => this.#staging[dtype])
      const launches = segments.map((segment) => {
        const isLarge = segment.elements >= minimumPooledElements
        const pool = isLarge ? this.#pools.get(segment.memory) : undefined
        return new KernelLaunch(graph, segment, pool)
      })
      return new Plan(lists, launches)
    })
  }
}

/** Memories for arrays that lie outside all other memories. */
type StagingMemories = Readonly<Record<Dtype, KernelMemory>>

let stagingMemoriesOfProcess: StagingMemories | undefined

/**
 * Returns the staging memories of all engines: two views of one WebAssembly memory, because V8 reserves
 * 10 GiB of addresses for each.
 */
function stagingMemories(): StagingMemories {
  if (stagingMemoriesOfProcess) return stagingMemoriesOfProcess
  const float64At = pageBytes * Math.ceil(KernelMemory.workspaceBytes('float32') / pageBytes)
  const pages = Math.ceil((float64At + KernelMemory.workspaceBytes('float64')) / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  stagingMemoriesOfProcess = {
    float32: new KernelMemory(memory, 'float32'),
    float64: new KernelMemory(memory, 'float64', { workspace: float64At }),
  }
  return stagingMemoriesOfProcess
}
