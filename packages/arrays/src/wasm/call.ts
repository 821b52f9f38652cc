import type { Graph } from '@diffgrad/core'
import { argumentBytes } from './arena.ts'
import { bind, compile, type WasmKernel } from './compile.ts'
import { type KernelForm, scalarsAt } from './kernel.ts'
import { lanesOf } from './lanes.ts'
import { bring, fetch, type Staging, stagingOf } from './staging.ts'
import type { Stretch } from './stretches.ts'

/** One kernel over one stretch of arrays, to be run again and again. */
export class Call {
  readonly #graph: Graph
  readonly #stretch: Stretch
  readonly #relaxed: boolean
  readonly #pointers: Uint32Array
  readonly #scalars: Float32Array | Float64Array
  readonly #staging: Staging | undefined
  readonly #read: ReadonlySet<number>
  readonly #written: ReadonlySet<number>
  readonly #kernels = new Map<boolean, WasmKernel>()

  constructor(graph: Graph, stretch: Stretch, relaxed: boolean) {
    const { arrays, coefficients, nodes, outputs, name } = graph
    const { arena, places } = stretch
    const after = scalarsAt(arrays.length)
    if (after + coefficients.length * lanesOf[arena.dtype].bytes > argumentBytes) {
      throw new RangeError(`${name}: ${coefficients.length} coefficients are too many`)
    }
    this.#graph = graph
    this.#stretch = stretch
    this.#relaxed = relaxed
    this.#pointers = new Uint32Array(arena.memory.buffer, arena.block, arrays.length)
    this.#scalars = arena.view(arena.block + after, coefficients.length)
    this.#staging = places.some((place) => typeof place !== 'number')
      ? stagingOf(stretch)
      : undefined
    const indexOf = (array: string): number => arrays.indexOf(array)
    this.#read = new Set(nodes.flatMap((node) => (node.op === 'array' ? [indexOf(node.name)] : [])))
    this.#written = new Set(outputs.map(([array]) => indexOf(array)))
  }

  /** @param flush - whether to set running averages that became negligible to zero. */
  run(coefficients: readonly number[], flush: boolean): void {
    const { arena, places, elements } = this.#stretch
    const kernel = this.#kernel(flush)
    this.#scalars.set(coefficients)
    if (this.#staging) {
      this.#runStaged(kernel, this.#staging)
    } else {
      for (let k = 0; k < places.length; k++) this.#pointers[k] = Number(places[k])
      kernel(arena.block, 0, elements)
    }
  }

  #runStaged(kernel: WasmKernel, { staged, windows }: Staging): void {
    const { arena, places } = this.#stretch
    const { bytes } = lanesOf[arena.dtype]
    const pointers = this.#pointers
    for (const { index, address } of staged) pointers[index] = address
    for (const window of windows) {
      for (let k = 0; k < places.length; k++) {
        const place = places[k]
        if (typeof place === 'number') pointers[k] = place + window.from * bytes
      }
      for (const some of staged) if (this.#read.has(some.index)) bring(some, window)
      kernel(arena.block, 0, window.elements)
      for (const some of staged) if (this.#written.has(some.index)) fetch(some, window)
    }
  }

  #kernel(flush: boolean): WasmKernel {
    const { arena } = this.#stretch
    const known = this.#kernels.get(flush)
    if (known) return known
    const { dtype, shared } = arena
    const form: KernelForm = { dtype, shared, relaxed: this.#relaxed, flush }
    const kernel = bind(compile(this.#graph, form), arena.memory)
    this.#kernels.set(flush, kernel)
    return kernel
  }
}
