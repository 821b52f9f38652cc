import {
  type ArrayLists,
  arraySignature,
  type Backend,
  type Kernel,
  transformState,
} from '@diffgrad/core'
import type { Tensor } from 'onnxruntime-common'
import { TrainerError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'

/** A parameter, running statistic or tensor of the optimizer's state. A step replaces its tensor. */
export interface Variable {
  /** The input of the train-step model that takes it. */
  readonly name: string
  tensor: Tensor
}

/** A kernel that an optimizer applied to parameters. */
export interface TracedKernel {
  readonly kernel: Kernel
  /** The names of the parameters that it updates. */
  readonly parameters: ReadonlySet<string>
  readonly coefficients: Readonly<Record<string, number>>
}

/** A backend that computes nothing: it records the kernels that an optimizer applies, for a graph to run. */
export class KernelTracer implements Backend<Variable> {
  readonly signature: Backend<Variable>['signature'] = arraySignature
  /** The optimizer's state. */
  readonly state: Variable[] = []
  readonly #runtime: Runtime
  #kernels: TracedKernel[] = []

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** The kernels that are applied during a call. */
  trace(call: () => void): readonly TracedKernel[] {
    this.#kernels = []
    call()
    return this.#kernels
  }

  mismatch(): undefined {}

  zeros(like: readonly Variable[], names: readonly string[]): ArrayLists<Variable> {
    for (const [name, options] of Object.entries(transformState))
      if (names.includes(name)) throw unsupportedError(options.join(', '))
    const lists = names.map(
      (name) => [name, like.map((theta) => this.#zeros(theta, name))] as const,
    )
    this.state.push(...lists.flatMap(([, list]) => list))
    return Object.fromEntries(lists)
  }

  apply(
    kernel: Kernel,
    { theta }: ArrayLists<Variable>,
    coefficients: Readonly<Record<string, number>>,
  ): void {
    const parameters = new Set(theta.map(({ name }) => name))
    this.#kernels.push({ kernel, parameters, coefficients })
  }

  scratch(): never {
    throw unsupportedError('inspect')
  }

  norm(): never {
    throw unsupportedError('skipNotFinite')
  }

  centralize(): never {
    throw unsupportedError('centralize')
  }

  read({ tensor }: Variable): Float32Array {
    // Created here or by a train step, whose state is float32.
    return tensor.data as Float32Array
  }

  write(variable: Variable, elements: Float32Array | Float64Array): void {
    variable.tensor = this.#tensor(Float32Array.from(elements), variable.tensor.dims)
  }

  #zeros({ name, tensor: { size, dims } }: Variable, state: string): Variable {
    return { name: `${name}/${state}`, tensor: this.#tensor(new Float32Array(size), dims) }
  }

  #tensor(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.#runtime.Tensor('float32', data, dims)
  }
}

const unsupportedError = (option: string): TrainerError =>
  new TrainerError(`update "graph": does not support ${option}; use update "kernel"`)
