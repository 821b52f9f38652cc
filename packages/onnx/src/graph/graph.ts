import { OnnxError } from '../error.ts'
import { fold } from '../folding/fold.ts'
import { fastest, type Lowering } from '../lowering/lowering.ts'
import { type DataType, elements } from '../model/data-type.ts'
import type { Attribute, Shape, Tensor } from '../model/model.ts'
import { infer } from '../shapes/infer.ts'
import type { Inferred } from '../shapes/inference.ts'
import { Operation } from './operation.ts'
import type { Value } from './value.ts'

/** What may be told about an application of an operator beside its inputs. */
export interface Application {
  readonly attributes?: ReadonlyMap<string, Attribute>
  readonly domain?: string
  readonly name?: string
  /** The names of the outputs; by default one, named for the operator. */
  readonly outputs?: readonly string[]
  /** What the outputs are, for an operator that we know nothing about. */
  readonly declared?: readonly (Inferred | undefined)[]
  /** Leaves the operation to the runtime, even where its output can be known beforehand. */
  readonly unfolded?: boolean
}

/** A number in text that tells −0 from 0. */
const text = (x: unknown): string => (Object.is(x, -0) ? '-0' : String(x))

/** A graph under construction. Shapes are inferred, and what can be known beforehand is, as it grows. */
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

  /** Applies an operator. Outputs that can be known beforehand become constants. */
  apply(
    operator: string,
    inputs: readonly (Value | undefined)[],
    { attributes = new Map(), domain = '', name, outputs, declared, unfolded }: Application = {},
  ): Operation {
    const names = outputs ?? [this.freshName(name || operator)]
    const operation = new Operation(this, {
      operator,
      domain,
      name: name || names.find((output) => output !== '') || operator,
      inputs,
      attributes,
    })
    const inferred = infer(operation, declared)
    const known = unfolded ? undefined : fold(operation, inferred)
    if (known) {
      operation.give([{ type: known.type, shape: known.shape, known }], names)
      this.#initializers.push(operation.output())
    } else {
      operation.give(inferred, names)
      this.#operations.push(operation)
    }
    return operation
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
