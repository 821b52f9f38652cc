import type { Attribute, Node } from '@diffgrad/onnx'
import type { Tensor } from '@tensorflow/tfjs-core'
import type { Value } from './value.ts'

/** What a model has computed so far, and how. */
export interface Run {
  readonly values: ReadonlyMap<string, Value>
  /** Whole numbers that the model holds. */
  readonly integers: ReadonlyMap<string, readonly number[]>
  /** Whether a weight is being trained. */
  readonly trained: (name: string) => boolean
  /** What running statistics become when the step is taken. */
  readonly next: Map<string, Tensor>
}

/** One application of an operator. */
export class Application {
  readonly #node: Node
  readonly #run: Run

  constructor(node: Node, run: Run) {
    this.#node = node
    this.#run = run
  }

  /** Whether an input is being trained. */
  trains(index: number): boolean {
    return this.#run.trained(this.#node.inputs[index])
  }

  /** @throws Error if it is absent. */
  input(index: number): Value {
    const value = this.optional(index)
    if (value) return value
    throw new Error(`${this.#node.operator} on TensorFlow.js: input ${index} must be a tensor`)
  }

  optional(index: number): Value | undefined {
    return this.#run.values.get(this.#node.inputs[index])
  }

  /** An input that must be known before the model runs. */
  constant(index: number): readonly number[] {
    const numbers = this.#run.integers.get(this.#node.inputs[index])
    if (numbers) return numbers
    throw new Error(`${this.#node.operator} on TensorFlow.js: input ${index} must be a constant`)
  }

  /** Says what an input, a running statistic, becomes. */
  move(index: number, next: Tensor): void {
    this.#run.next.set(this.#node.inputs[index], next)
  }

  integer(name: string, otherwise: number): number {
    const value = this.#attribute(name)
    return typeof value === 'number' ? value : otherwise
  }

  integers(name: string, otherwise: readonly number[]): readonly number[] {
    const value = this.#attribute(name)
    return Array.isArray(value) ? value : otherwise
  }

  float(name: string, otherwise: number): number {
    const value = this.#attribute(name)
    return typeof value === 'object' && 'float' in value ? value.float : otherwise
  }

  string(name: string, otherwise: string): string {
    const value = this.#attribute(name)
    return typeof value === 'string' ? value : otherwise
  }

  /** @throws Error naming what TensorFlow.js cannot do. */
  require(what: string, wanted: number | string, given: number | string): void {
    if (given === wanted) return
    throw new Error(
      `${this.#node.operator} on TensorFlow.js: ${what} must be ${wanted}, but is ${given}`,
    )
  }

  #attribute(name: string): Attribute | undefined {
    return this.#node.attributes.get(name)
  }
}

/** What an operator of ONNX computes, on tensors. */
export type Operator = (application: Application) => Value
