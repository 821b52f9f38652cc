import { type Backend, type Kernel, type Lists, trace } from '@diffgrad/core'
import { fingerprint } from './fingerprint.ts'
import { type Floats, mismatch } from './floats.ts'
import { interpret } from './interpreter.ts'
import type { Loop, LoopTable } from './loop.ts'

/** How a kernel runs. */
export type KernelTier = 'javascript' | 'interpreter'

interface Compiled {
  readonly arrays: readonly string[]
  readonly coefficients: readonly string[]
  readonly loop: Loop
  readonly tier: KernelTier
}

/** Kernels over typed arrays, by loops that were made at build time, or else by the interpreter. */
export class ArraysBackend implements Backend<Floats> {
  readonly mismatch: Backend<Floats>['mismatch'] = mismatch
  readonly #loops: LoopTable
  readonly #compiled = new WeakMap<Kernel, Compiled>()

  constructor(loops: LoopTable) {
    this.#loops = loops
  }

  /** How this kernel runs. */
  tierOf(kernel: Kernel): KernelTier {
    return this.#compile(kernel).tier
  }

  zeros(like: readonly Floats[], names: readonly string[]): Lists<Floats> {
    return Object.fromEntries(names.map((name) => [name, like.map(zerosLike)]))
  }

  apply(
    kernel: Kernel,
    lists: Lists<Floats>,
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

  /** The sum of squares overflows long before the norm does; then it is taken of scaled elements. */
  norm(array: Floats): number {
    const direct = Math.sqrt(sumOfSquares(array, 1))
    if (direct > 1e-150 && direct < Number.POSITIVE_INFINITY) return direct
    const largest = largestMagnitude(array)
    if (largest === 0 || !Number.isFinite(largest)) return largest
    return largest * Math.sqrt(sumOfSquares(array, largest))
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
    return array.slice()
  }

  write(array: Floats, elements: Floats): void {
    array.set(elements)
  }

  #compile(kernel: Kernel): Compiled {
    const known = this.#compiled.get(kernel)
    if (known) return known
    const graph = trace(kernel)
    const made: Loop | undefined = this.#loops[fingerprint(graph)]
    const { arrays, coefficients } = graph
    const compiled: Compiled = made
      ? { arrays, coefficients, loop: made, tier: 'javascript' }
      : { arrays, coefficients, loop: interpret(graph), tier: 'interpreter' }
    this.#compiled.set(kernel, compiled)
    return compiled
  }
}

const zerosLike = (array: Floats): Floats =>
  array instanceof Float32Array ? new Float32Array(array.length) : new Float64Array(array.length)

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
