import { OnnxError } from '../error.ts'
import { type DataType, elements } from '../model/data-type.ts'
import type { Shape, Tensor } from '../model/model.ts'
import { fastest, type Lowering } from './lowering.ts'
import type { Operation } from './operation.ts'
import type { Value } from './value.ts'

/** A number in text that tells −0 from 0. */
const text = (x: unknown): string => (Object.is(x, -0) ? '-0' : String(x))

/** A graph under construction: names, values and operations, and nothing that computes them. */
export class Graph {
  /** The formulations that gradients are written in. */
  readonly lowering: Lowering
  readonly #names = new Set<string>()
  readonly #reserved = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #inputs: Value[] = []
  readonly #initializers: Value[] = []
  readonly #constants = new Map<string, Value>()
  readonly #operations: Operation[] = []

  constructor(lowering: Lowering = fastest) {
    this.lowering = lowering
  }

  get inputs(): readonly Value[] {
    return this.#inputs
  }

  /** Weights and constants: values whose elements are part of the model. */
  get initializers(): readonly Value[] {
    return this.#initializers
  }

  /** In an order in which they can run. */
  get operations(): readonly Operation[] {
    return this.#operations
  }

  /** Declares what a run is given. */
  input(name: string, type: DataType, shape: Shape): Value {
    const value = { graph: this, name: this.claim(name), type, shape }
    this.#inputs.push(value)
    return value
  }

  /** Adds a named tensor to the model. */
  initializer(name: string, tensor: Tensor): Value {
    const { type, shape } = tensor
    const value = { graph: this, name: this.claim(name), type, shape, known: tensor }
    this.#initializers.push(value)
    return value
  }

  /** Adds a named tensor that training may change. */
  parameter(name: string, initial: Tensor<'float32'>): Value {
    const { type, shape } = initial
    const value = { graph: this, name: this.claim(name), type, shape, initial }
    this.#initializers.push(value)
    return value
  }

  /** A tensor without a name of its own; equal small ones are one value. */
  constant(tensor: Tensor): Value {
    const { type, shape, data } = tensor
    if (data.length > 64) return this.initializer(this.freshName('constant'), tensor)
    const key = `${type} [${shape}] ${Array.from(data, text)}`
    const value = this.#constants.get(key) ?? this.initializer(this.freshName('constant'), tensor)
    this.#constants.set(key, value)
    return value
  }

  /** A scalar constant. */
  scalar(value: number, type: DataType = 'float32'): Value {
    return this.constant({ type, shape: [], data: elements(type, [value]) })
  }

  /** A constant list of integers: a shape, axes, pads. */
  integers(values: readonly number[]): Value {
    return this.constant({ type: 'int64', shape: [values.length], data: elements('int64', values) })
  }

  /** Appends an operation whose outputs have been given. */
  append(operation: Operation): void {
    this.#operations.push(operation)
  }

  /** Takes in a value that was computed before the model runs. */
  fold(value: Value): void {
    this.#initializers.push(value)
  }

  /** Keeps names for values that are still to come. */
  reserve(names: Iterable<string>): void {
    for (const name of names) this.#reserved.add(name)
  }

  /** A name that nothing has yet, and that is not reserved. */
  freshName(stem: string): string {
    let [name, count] = [stem, this.#counts.get(stem) ?? 0]
    while (this.#names.has(name) || this.#reserved.has(name)) name = `${stem}_${++count}`
    this.#counts.set(stem, count)
    return name
  }

  /**
   * Takes a name for a value of this graph.
   * @throws {OnnxError} When another value has it.
   */
  claim(name: string): string {
    if (this.#names.has(name))
      throw new OnnxError(`value "${name}": its name must be its own, but another has it`)
    this.#names.add(name)
    return name
  }
}
