import { type ArrayLists, type Backend, type Kernel, trace } from '@diffgrad/core'
import {
  backend,
  mean,
  mul,
  sub,
  type Tensor,
  tidy,
  type Variable,
  variable,
  zeros,
} from '@tensorflow/tfjs-core'
import type { ChooseEngine } from './engines/choose.ts'
import { bring, variableOf } from './engines/engine.ts'
import { isWebgpu } from './engines/webgpu.ts'
import { describe, mismatch } from './fit.ts'
import { norm, shrinkage } from './norm.ts'

/**
 * Tensors, on whichever backend is the current one. Variables are what is written to: those of the user,
 * and memory. What it saves of an array is a tensor, which the caller disposes of.
 */
export class TensorBackend implements Backend<Tensor, Tensor> {
  readonly mismatch: Backend<Tensor, Tensor>['mismatch'] = mismatch
  readonly signature: Backend<Tensor, Tensor>['signature'] = describe
  readonly #choose: ChooseEngine
  readonly #memory = new Set<Tensor>()
  readonly #scratch = new Set<Variable>()
  readonly #lent = new WeakSet<Tensor>()

  constructor(choose: ChooseEngine) {
    this.#choose = choose
  }

  zeros(like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> {
    return Object.fromEntries(names.map((name) => [name, like.map((array) => this.#zeros(array))]))
  }

  scratch(like: readonly Tensor[], names: readonly string[]): ArrayLists<Tensor> {
    const lists = names.map((name) => {
      const arrays = like.map((array) => this.#zeros(array))
      for (const array of arrays) this.#scratch.add(array)
      return [name, arrays]
    })
    return Object.fromEntries(lists)
  }

  apply(
    kernel: Kernel,
    lists: ArrayLists<Tensor>,
    coefficients: Readonly<Record<string, number>>,
    t = 0,
  ): void {
    const graph = trace(kernel)
    const now = backend()
    // Before it is asked who has their data, which only the backend knows on which they are.
    for (const name of graph.arrays) bring(now, lists[name])
    const inPlace = (array: Tensor): boolean => this.#mine(array)
    this.#choose(now, graph).run({ kernel, graph, lists, coefficients, t, inPlace })
  }

  /** Only asked for by `skipNotFinite`, which has to know at once. */
  norm(array: Tensor): number {
    if (isWebgpu(backend())) {
      throw new Error(
        'skipNotFinite reads a number from the device at every step, which WebGPU cannot do at once',
      )
    }
    return tidy(() => norm([array]).dataSync()[0])
  }

  clipByGlobalNorm(arrays: readonly Tensor[], limit: number): void {
    if (arrays.length === 0) return
    tidy(() => {
      const factor = shrinkage(arrays, limit)
      for (const array of arrays) variableOf(array).assign(mul(array, factor))
    })
  }

  centralize(array: Tensor, [, ...others]: readonly number[]): void {
    const axes = others.map((_, i) => i + 1)
    tidy(() => variableOf(array).assign(sub(array, mean(array, axes, true))))
  }

  /** The same data, which changes no more: whoever would change it takes a copy first. */
  read(array: Tensor): Tensor {
    return array.clone()
  }

  /** Copies: on the cpu backend, the data of a saved tensor may be an array of the user's. */
  write(array: Tensor, saved: Tensor): void {
    copyInto(variableOf(array), saved)
  }

  /** Notes that someone may be reading an array, at leisure. */
  lend(array: Tensor): Tensor {
    this.#lent.add(array)
    return array
  }

  /** Disposes of what `scratch` gave. */
  clear(): void {
    for (const array of this.#scratch) {
      this.#memory.delete(array)
      array.dispose()
    }
    this.#scratch.clear()
  }

  /** Disposes of all memory. */
  dispose(): void {
    for (const array of this.#memory) array.dispose()
    this.#memory.clear()
    this.#scratch.clear()
  }

  #zeros({ shape }: Tensor): Variable {
    const array = tidy(() => variable(zeros(shape), false))
    this.#memory.add(array)
    return array
  }

  /** Whether an array is memory, which then has its data for itself alone. */
  #mine(array: Tensor): boolean {
    if (!this.#memory.has(array)) return false
    if (this.#lent.delete(array) || backend().refCount(array.dataId) > 1) {
      copyInto(variableOf(array), array)
    }
    return true
  }
}

/** Multiplied by 1, every number is itself, −0 and NaN included. */
function copyInto(array: Variable, from: Tensor): void {
  tidy(() => array.assign(mul(from, 1)))
}
