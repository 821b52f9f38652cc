import { type Graph, type Kernel, type Lists, trace } from '@diffgrad/core'
import type { Engine, KernelReport } from '../engine.ts'
import type { Floats } from '../floats.ts'
import { Arena, arenaOf } from './arena.ts'
import { Call } from './call.ts'
import type { Dtype } from './lanes.ts'
import { Memories } from './memories.ts'
import { stretchesOf } from './stretches.ts'

/** Every so many steps, running averages that became negligible are set to zero. */
const flushEvery = 32

/** What it takes to run a kernel on certain lists. */
interface Plan {
  readonly lists: readonly (readonly Floats[])[]
  readonly calls: readonly Call[]
}

/** Kernels as WebAssembly, compiled when they are first needed. */
export class WasmEngine implements Engine {
  readonly #relaxed: boolean
  readonly #memories = new Memories()
  readonly #spare = new Map<Dtype, Arena>()
  readonly #graphs = new WeakMap<Kernel, Graph>()
  readonly #plans = new WeakMap<Kernel, WeakMap<readonly Floats[], Plan>>()
  #copies = false

  constructor(relaxed: boolean) {
    this.#relaxed = relaxed
  }

  get report(): KernelReport {
    const tier = this.#relaxed ? 'wasm-relaxed' : 'wasm'
    return { tier, threads: 1, copies: this.#copies }
  }

  memory(parameters: readonly Floats[], names: readonly string[]): Lists<Floats> {
    const lists = this.#memories.zeros(parameters, names)
    const rows = [parameters, ...Object.values(lists)]
    this.#copies ||= parameters.some((parameter, i) => {
      const arena = arenaOf(parameter)
      return !arena || rows.some((row) => arenaOf(row[i]) !== arena)
    })
    return lists
  }

  run(
    kernel: Kernel,
    lists: Lists<Floats>,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    const graph = this.#graph(kernel)
    const chosen = graph.arrays.map((name) => lists[name])
    const scalars = graph.coefficients.map((name) => coefficients[name])
    const flush = t > 0 && t % flushEvery === 0
    for (const call of this.#plan(kernel, graph, chosen).calls) call.run(scalars, flush)
  }

  dispose(): void {
    this.#memories.release()
  }

  #graph(kernel: Kernel): Graph {
    const graph = this.#graphs.get(kernel) ?? trace(kernel)
    this.#graphs.set(kernel, graph)
    return graph
  }

  /** The plan for these lists, made anew only if any of them is another object than before. */
  #plan(kernel: Kernel, graph: Graph, lists: readonly (readonly Floats[])[]): Plan {
    const [first] = lists
    const plans = this.#plans.get(kernel) ?? new WeakMap<readonly Floats[], Plan>()
    this.#plans.set(kernel, plans)
    const known = plans.get(first)
    if (known?.lists.every((list, k) => list === lists[k])) return known
    const stretches = stretchesOf(lists, (dtype) => this.#spareArena(dtype))
    const calls = stretches.map((stretch) => new Call(graph, stretch, this.#relaxed))
    const plan = { lists, calls }
    plans.set(first, plan)
    return plan
  }

  #spareArena(dtype: Dtype): Arena {
    const arena = this.#spare.get(dtype) ?? new Arena(dtype, 0, false)
    this.#spare.set(dtype, arena)
    return arena
  }
}
