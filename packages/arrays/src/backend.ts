import {
  type ArrayLists,
  arraySignature,
  type Backend,
  centralizeRows,
  euclideanNorm,
  type Kernel,
} from '@diffgrad/core'
import type { Engine, KernelReport } from './engine.ts'
import { type Floats, mismatch, zerosLike } from './floats.ts'

/** Typed arrays, on which an engine runs the kernels. */
export class ArraysBackend implements Backend<Floats> {
  readonly mismatch: Backend<Floats>['mismatch'] = mismatch
  readonly signature: Backend<Floats>['signature'] = arraySignature
  readonly #engine: Engine
  #disposed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  zeros(like: readonly Floats[], names: readonly string[]): ArrayLists<Floats> {
    return this.#engine.memory(like, names)
  }

  scratch(like: readonly Floats[], names: readonly string[]): ArrayLists<Floats> {
    return Object.fromEntries(names.map((name) => [name, like.map(zerosLike)]))
  }

  apply(
    kernel: Kernel,
    lists: ArrayLists<Floats>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void {
    this.#check()
    this.#engine.run(kernel, lists, coefficients, t)
  }

  readonly norm: Backend<Floats>['norm'] = euclideanNorm

  centralize(array: Floats, [rows]: readonly number[]): void {
    centralizeRows(array, rows)
  }

  read(array: Floats): Floats {
    this.#check()
    return array.slice()
  }

  write(array: Floats, elements: Floats): void {
    this.#check()
    array.set(elements)
  }

  /** What runs the kernels. */
  get report(): KernelReport {
    return this.#engine.report
  }

  /** Ends everything; what is tried afterwards is an error. */
  dispose(): void {
    this.#disposed = true
    this.#engine.dispose()
  }

  #check(): void {
    if (this.#disposed) throw new Error('the optimizer was disposed of, and its memory given back')
  }
}
