import { type ArrayLists, type Graph, type Kernel, trace } from '@diffgrad/core'
import type { Engine, KernelReport } from './engine.ts'
import { fingerprint } from './fingerprint.ts'
import { type Floats, zerosLike } from './floats.ts'
import { interpret } from './interpreter.ts'
import type { Loop, LoopTable } from './loop.ts'

interface Compiled {
  readonly arrays: readonly string[]
  readonly coefficients: readonly string[]
  readonly loop: Loop
}

/** The loop for a graph: one that was made at build time, or else the interpreter. */
const loopOf = (graph: Graph, made: LoopTable): Loop =>
  Object.hasOwn(made, fingerprint(graph)) ? made[fingerprint(graph)] : interpret(graph)

/** Kernels without WebAssembly: loops that were made at build time, or else the interpreter. */
export class Loops implements Engine {
  readonly report: KernelReport
  readonly #loops: LoopTable
  readonly #compiled = new WeakMap<Kernel, Compiled>()

  constructor(tier: 'javascript' | 'interpreter', loops: LoopTable) {
    this.report = { tier, threads: 1, copies: false }
    this.#loops = loops
  }

  memory(parameters: readonly Floats[], names: readonly string[]): ArrayLists<Floats> {
    return Object.fromEntries(names.map((name) => [name, parameters.map(zerosLike)]))
  }

  run(
    kernel: Kernel,
    lists: ArrayLists<Floats>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    const { arrays, coefficients: names, loop } = this.#compile(kernel)
    const chosen = arrays.map((name) => lists[name])
    const scalars = names.map((name) => coefficients[name])
    const [first] = chosen
    for (const [i, { length }] of first.entries()) {
      loop(
        length,
        chosen.map((list) => list[i]),
        scalars,
      )
    }
  }

  dispose(): void {}

  #compile(kernel: Kernel): Compiled {
    const known = this.#compiled.get(kernel)
    if (known) return known
    const graph = trace(kernel)
    const { arrays, coefficients } = graph
    const compiled = { arrays, coefficients, loop: loopOf(graph, this.#loops) }
    this.#compiled.set(kernel, compiled)
    return compiled
  }
}
