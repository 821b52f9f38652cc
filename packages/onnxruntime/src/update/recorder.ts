import {
  type ArrayLists,
  arraySignature,
  type Backend,
  type Kernel,
  transformState,
} from '@diffgrad/core'
import type { Tensor } from 'onnxruntime-common'
import { TrainerError } from '../error.ts'
import type { Runtime } from '../runtime.ts'

/** A parameter, or a part of its memory, as a tensor that is replaced and never changed. */
export interface Slot {
  /** The input of the train step that takes it. */
  readonly name: string
  tensor: Tensor
}

/** What an optimizer asked to be computed. */
export interface Call {
  readonly kernel: Kernel
  /** The names of the parameters that it moves. */
  readonly parameters: ReadonlySet<string>
  readonly coefficients: Readonly<Record<string, number>>
}

/**
 * A backend that computes nothing: it notes which kernel an optimizer would run, and with which
 * scalars, so that a graph can do it.
 */
export class Recorder implements Backend<Slot> {
  readonly signature: Backend<Slot>['signature'] = arraySignature
  readonly slots: Slot[] = []
  calls: Call[] = []
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  mismatch(): undefined {}

  zeros(like: readonly Slot[], names: readonly string[]): ArrayLists<Slot> {
    const name = names.find((name) => Object.hasOwn(transformState, name))
    if (name) {
      const options = transformState[name].join(', ').replace(/, (?=[^,]*$)/, ' or ')
      throw new TrainerError(`update "graph": has no ${options}; use update "kernel"`)
    }
    const lists = names.map((name) => [name, like.map((slot) => this.#zeros(slot, name))] as const)
    this.slots.push(...lists.flatMap(([, list]) => list))
    return Object.fromEntries(lists)
  }

  apply(
    kernel: Kernel,
    { theta }: ArrayLists<Slot>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    this.calls.push({ kernel, parameters: new Set(theta.map(({ name }) => name)), coefficients })
  }

  scratch(): never {
    throw new TrainerError('update "graph": has no inspect; use update "kernel"')
  }

  norm(): never {
    throw new TrainerError('update "graph": has no skipNotFinite; use update "kernel"')
  }

  centralize(): never {
    throw new TrainerError('update "graph": has no centralize; use update "kernel"')
  }

  read({ tensor }: Slot): Float32Array {
    // Made here or by a train step, all of whose state is float32.
    return tensor.data as Float32Array
  }

  write(slot: Slot, elements: Float32Array | Float64Array): void {
    slot.tensor = this.#tensor(Float32Array.from(elements), slot.tensor.dims)
  }

  #zeros({ name, tensor: { size, dims } }: Slot, slot: string): Slot {
    return { name: `${name}/${slot}`, tensor: this.#tensor(new Float32Array(size), dims) }
  }

  #tensor(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.#runtime.Tensor('float32', data, dims)
  }
}
