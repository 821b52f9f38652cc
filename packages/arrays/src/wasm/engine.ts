import { type ArrayLists, type Graph, type Kernel, trace } from '@diffgrad/core'
import type { Engine, KernelReport } from '../engine.ts'
import type { Floats } from '../floats.ts'
import { ThreadPool, worthwhile } from '../threads/thread-pool.ts'
import { StateAllocator } from './allocator.ts'
import { Arena, arenaOf } from './arena.ts'
import { flushes } from './kernel.ts'
import { Call } from './launch.ts'
import { Plan, Plans } from './plan.ts'
import { type KernelLists, segmentsOf } from './segments.ts'
import type { Dtype } from './simd.ts'

/** Kernels as WebAssembly, compiled when they are first needed. */
export class WasmEngine implements Engine {
  readonly #relaxed: boolean
  readonly #threads: number
  readonly #memories = new StateAllocator()
  readonly #spare = new Map<Dtype, Arena>()
  readonly #plans = new WeakMap<Kernel, Plans>()
  readonly #teams = new Map<Arena, ThreadPool>()
  #copies = false

  /** @param threads - how many may work on large groups in shared memory. */
  constructor(relaxed: boolean, threads: number) {
    this.#relaxed = relaxed
    this.#threads = threads
  }

  get report(): KernelReport {
    const tier = this.#relaxed ? 'wasm-relaxed' : 'wasm'
    const threads = Math.max(1, ...[...this.#teams.values()].map((team) => team.threads))
    return { tier, threads, copies: this.#copies }
  }

  memory(parameters: readonly Floats[], names: readonly string[]): ArrayLists<Floats> {
    const lists = this.#memories.zeros(parameters, names)
    const rows = [parameters, ...Object.values(lists)]
    this.#copies ||= parameters.some((parameter, i) => {
      const arena = arenaOf(parameter)
      return !arena || rows.some((row) => arenaOf(row[i]) !== arena)
    })
    this.#gather(parameters)
    return lists
  }

  run(
    kernel: Kernel,
    lists: ArrayLists<Floats>,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    const graph = trace(kernel)
    const chosen = graph.arrays.map((name) => lists[name])
    const scalars = graph.coefficients.map((name) => coefficients[name])
    const flush = flushes(t)
    this.#plan(kernel, graph, chosen).run(chosen, scalars, flush)
  }

  dispose(): void {
    this.#memories.release()
    for (const team of this.#teams.values()) team.dispose()
  }

  /** Starts threads for the arenas where some parameters give them enough to do. */
  #gather(parameters: readonly Floats[]): void {
    if (this.#threads === 1) return
    const elements = new Map<Arena, number>()
    for (const parameter of parameters) {
      const arena = arenaOf(parameter)
      if (!arena?.shared) continue
      elements.set(arena, (elements.get(arena) ?? 0) + parameter.length)
    }
    for (const [arena, count] of elements) {
      if (count < worthwhile || this.#teams.has(arena)) continue
      this.#teams.set(arena, new ThreadPool(arena.memory, this.#threads))
    }
  }

  #plan(kernel: Kernel, graph: Graph, lists: KernelLists): Plan {
    const plans = this.#plans.get(kernel) ?? new Plans()
    this.#plans.set(kernel, plans)
    return plans.of(lists, () => {
      const stretches = segmentsOf(lists, (dtype) => this.#spareArena(dtype))
      const calls = stretches.map(
        (stretch) => new Call(graph, stretch, this.#relaxed, this.#teams.get(stretch.arena)),
      )
      return new Plan(lists, calls)
    })
  }

  #spareArena(dtype: Dtype): Arena {
    const arena = this.#spare.get(dtype) ?? new Arena(dtype, 0, false)
    this.#spare.set(dtype, arena)
    return arena
  }
}
