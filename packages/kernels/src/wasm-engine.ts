import { type ArrayLists, type Graph, type Kernel, trace } from '@diffgrad/core'
import { minimumPooledElements, ThreadPool } from './threads/thread-pool.ts'
import type { Dtype, FloatArray } from './typed-arrays.ts'
import { KernelMemory, memoryOf } from './wasm/launch.ts'
import { KernelLaunch, Plan, PlanCache } from './wasm/plan.ts'
import { type KernelLists, segmentsOf } from './wasm/staging.ts'

const pageBytes = 65536

/** Runs kernels as WebAssembly. A kernel is compiled when it first runs. */
export class WasmEngine {
  readonly tier: 'wasm' | 'wasm-relaxed'
  readonly #threads: number
  readonly #pools = new Map<KernelMemory, ThreadPool>()
  readonly #plans = new WeakMap<Kernel, PlanCache>()
  readonly #stagingMemories = new Map<Dtype, KernelMemory>()

  /** @param threads - the most threads that share the work in one memory. */
  constructor(tier: 'wasm' | 'wasm-relaxed', threads: number) {
    this.tier = tier
    this.#threads = threads
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
      if (memory?.shared) elements.set(memory, (elements.get(memory) ?? 0) + array.length)
    }
    for (const [memory, count] of elements) {
      if (count < minimumPooledElements || this.#pools.has(memory)) continue
      this.#pools.set(memory, new ThreadPool(memory.memory, this.#threads))
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

  dispose(): void {
    for (const pool of this.#pools.values()) pool.dispose()
  }

  #planFor(kernel: Kernel, graph: Graph, lists: KernelLists): Plan {
    const cache = this.#plans.get(kernel) ?? new PlanCache()
    this.#plans.set(kernel, cache)
    return cache.planFor(lists, () => {
      const segments = segmentsOf(lists, (dtype) => this.#stagingMemory(dtype))
      const launches = segments.map((segment) => {
        const isLarge = segment.elements >= minimumPooledElements
        const pool = isLarge ? this.#pools.get(segment.memory) : undefined
        return new KernelLaunch(graph, segment, pool)
      })
      return new Plan(lists, launches)
    })
  }

  #stagingMemory(dtype: Dtype): KernelMemory {
    const known = this.#stagingMemories.get(dtype)
    if (known) return known
    const pages = Math.ceil(KernelMemory.workspaceBytes(dtype) / pageBytes)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const created = new KernelMemory(memory, dtype)
    this.#stagingMemories.set(dtype, created)
    return created
  }
}
