import type { Graph } from '@diffgrad/core'
import { type ThreadPool, worthwhile } from '../threads/thread-pool.ts'
import { argumentBytes } from './arena.ts'
import { compile } from './compile.ts'
import { type KernelForm, scalarsAt } from './kernel.ts'
import { bind, type WasmKernel } from './module.ts'
import type { KernelLists, Segment } from './segments.ts'
import { simdTypeOf } from './simd.ts'
import { bring, fetch, type Staging, stagingOf } from './staging.ts'

/** A kernel that can be called, and its code, for other threads. */
interface Ready {
  readonly kernel: WasmKernel
  readonly code: Uint8Array
}

/** One kernel over one stretch of arrays, to be run again and again. */
export class Call {
  readonly #graph: Graph
  readonly #stretch: Segment
  readonly #relaxed: boolean
  readonly #pointers: Uint32Array
  readonly #scalars: Float32Array | Float64Array
  readonly #staging: Staging | undefined
  readonly #read: ReadonlySet<number>
  readonly #written: ReadonlySet<number>
  readonly #team: ThreadPool | undefined
  readonly #kernels = new Map<boolean, Ready>()

  /** @param team - the threads that work on the stretch's arena, if there are more than one. */
  constructor(graph: Graph, stretch: Segment, relaxed: boolean, team?: ThreadPool) {
    const { arrays, coefficients, reads, writes, name } = graph
    const { arena } = stretch
    const after = scalarsAt(arrays.length)
    if (after + coefficients.length * simdTypeOf[arena.dtype].bytes > argumentBytes) {
      throw new RangeError(`${name}: ${coefficients.length} coefficients are too many`)
    }
    this.#graph = graph
    this.#stretch = stretch
    this.#relaxed = relaxed
    this.#team = team
    this.#pointers = new Uint32Array(arena.memory.buffer, arena.block, arrays.length)
    this.#scalars = arena.view(arena.block + after, coefficients.length)
    this.#staging = stagingOf(stretch)
    const indexOf = (array: string): number => arrays.indexOf(array)
    this.#read = new Set([...reads].map(indexOf))
    this.#written = new Set([...writes].map(indexOf))
  }

  /**
   * @param lists - the arrays; those that are not staged must be where they were.
   * @param flush - whether to set running averages that became negligible to zero.
   */
  run(lists: KernelLists, coefficients: readonly number[], flush: boolean): void {
    const { arena, elements } = this.#stretch
    const { kernel, code } = this.#ready(flush)
    this.#scalars.set(coefficients)
    if (this.#staging) {
      this.#runStaged(kernel, lists, this.#staging)
    } else {
      this.#pointTo(0)
      if (this.#team && elements >= worthwhile) {
        this.#team.run(kernel, code, arena.block, elements)
      } else {
        kernel(arena.block, 0, elements)
      }
    }
  }

  #runStaged(kernel: WasmKernel, lists: KernelLists, { staged, windows }: Staging): void {
    for (const { index, address } of staged) this.#pointers[index] = address
    for (const { from, elements, pieces } of windows) {
      this.#pointTo(from)
      for (const { index, window } of staged) {
        if (this.#read.has(index)) bring(lists[index], window, pieces)
      }
      kernel(this.#stretch.arena.block, 0, elements)
      for (const { index, window } of staged) {
        if (this.#written.has(index)) fetch(lists[index], window, pieces)
      }
    }
  }

  /** Gives the kernel the addresses of some element in all arrays that are not staged. */
  #pointTo(element: number): void {
    const { arena, places } = this.#stretch
    const offset = element * simdTypeOf[arena.dtype].bytes
    for (let k = 0; k < places.length; k++) {
      const place = places[k]
      if (place !== 'elsewhere') this.#pointers[k] = place + offset
    }
  }

  #ready(flush: boolean): Ready {
    const known = this.#kernels.get(flush)
    if (known) return known
    const { dtype, shared, memory } = this.#stretch.arena
    const form: KernelForm = { dtype, shared, relaxed: this.#relaxed, flush }
    const { code, module } = compile(this.#graph, form)
    const ready = { kernel: bind(module, memory), code }
    this.#kernels.set(flush, ready)
    return ready
  }
}
