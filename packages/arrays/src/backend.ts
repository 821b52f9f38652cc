import { type Backend, describeSaved, type Kernel, type Lists } from '@diffgrad/core'
import type { Engine, KernelReport } from './engine.ts'
import { type Floats, mismatch, zerosLike } from './floats.ts'

/** Typed arrays, on which an engine runs the kernels. */
export class ArraysBackend implements Backend<Floats> {
  readonly mismatch: Backend<Floats>['mismatch'] = mismatch
  readonly describe: Backend<Floats>['describe'] = describeSaved
  readonly #engine: Engine
  #disposed = false

  constructor(engine: Engine) {
    this.#engine = engine
  }

  zeros(like: readonly Floats[], names: readonly string[]): Lists<Floats> {
    return this.#engine.memory(like, names)
  }

  scratch(like: readonly Floats[], names: readonly string[]): Lists<Floats> {
    return Object.fromEntries(names.map((name) => [name, like.map(zerosLike)]))
  }

  apply(
    kernel: Kernel,
    lists: Lists<Floats>,
    coefficients: Readonly<Record<string, number>>,
    t?: number,
  ): void {
    this.#check()
    this.#engine.run(kernel, lists, coefficients, t)
  }

  /** The sum of squares overflows long before the norm does; then it is taken of scaled elements. */
  norm(array: Floats): number {
    const direct = Math.sqrt(sumOfSquares(array, 1))
    if (direct > 1e-150 && direct < Number.POSITIVE_INFINITY) return direct
    const largest = largestMagnitude(array)
    if (largest === 0 || !Number.isFinite(largest)) return largest
    return Math.min(largest * Math.sqrt(sumOfSquares(array, largest)), Number.MAX_VALUE)
  }

  centralize(array: Floats, [rows]: readonly number[]): void {
    const size = array.length / rows
    for (let start = 0; start < array.length; start += size) {
      const row = array.subarray(start, start + size)
      let sum = 0
      for (let i = 0; i < size; i++) sum += row[i]
      const mean = sum / size
      for (let i = 0; i < size; i++) row[i] -= mean
    }
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

function sumOfSquares(array: Floats, scale: number): number {
  let sum = 0
  for (let i = 0; i < array.length; i++) sum += (array[i] / scale) ** 2
  return sum
}

function largestMagnitude(array: Floats): number {
  let largest = 0
  for (let i = 0; i < array.length; i++) largest = Math.max(largest, Math.abs(array[i]))
  return largest
}
