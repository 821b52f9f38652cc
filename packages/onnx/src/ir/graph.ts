import { type DataType, elements } from '../model/data-type.ts'
import { OnnxError } from '../model/error.ts'
import { elementCount, type Shape, type Tensor } from '../model/model.ts'
import { AttributeReader } from '../model/node.ts'
import { cpuLowering, type Lowering } from './lowering.ts'

/** What shape inference and constant folding find out about a value. */
export interface InferredType {
  readonly type: DataType
  readonly shape: Shape
  /** The elements of a constant value. */
  readonly constant?: Tensor
}

/** A value of a graph: an input, an initializer, or an output of an operation. */
export interface Value extends InferredType {
  readonly graph: Graph
  readonly name: string
  /** The initial elements of a parameter. They may change, so they are never folded. */
  readonly initial?: Tensor<'float32'>
}

/** The most elements of a constant that a gradient or rewrite builds: 64 MiB of float32. */
const maxConstantElements = 2 ** 24

/** One application of an operator in a graph. */
export class Operation extends AttributeReader {
  readonly graph: Graph
  readonly operator: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly (Value | undefined)[]
  readonly #outputs: (Value | undefined)[] = []
  #types: readonly InferredType[] = []
  #declaredOutputs = 0

  constructor(
    graph: Graph,
    node: Pick<Operation, 'operator' | 'domain' | 'name' | 'inputs' | 'attributes'>,
  ) {
    super({ ...node, outputs: [] })
    this.graph = graph
    this.operator = node.operator
    this.domain = node.domain
    this.name = node.name
    this.inputs = node.inputs
  }

  /** The outputs that exist so far. */
  get outputs(): readonly (Value | undefined)[] {
    return this.#outputs
  }

  /** The number of outputs at construction. A gradient rule may add optional ones. */
  get declaredOutputs(): number {
    return this.#declaredOutputs
  }

  /** Sets the types of all possible outputs and creates the named ones. An empty name creates none. */
  setOutputs(types: readonly InferredType[], names: readonly string[]): void {
    this.#types = types
    this.#declaredOutputs = names.length
    for (const [i, name] of names.entries()) if (name !== '') this.#addOutput(i, name)
  }

  /** Returns an output by its index. Creates an optional output that does not exist yet. */
  output(index = 0): Value {
    return (
      this.#outputs[index] ?? this.#addOutput(index, this.graph.freshName(`${this.name}/${index}`))
    )
  }

  #addOutput(index: number, name: string): Value {
    const type = this.#types[index]
    if (type === undefined) throw this.error(`has no output ${index}`)
    const value = { ...type, graph: this.graph, name: this.graph.claimName(name) }
    this.#outputs[index] = value
    return value
  }

  /** Returns a required input. @throws {OnnxError} If it is absent. */
  input(index: number): Value {
    const value = this.inputs[index]
    if (value === undefined) throw this.error(`must have an input ${index}, but has none`)
    return value
  }

  /**
   * The number of elements of a constant that is about to be built for this operation.
   *
   * @throws {OnnxError} If there are more than `maxConstantElements` of the graph.
   */
  constantLength(shape: readonly number[]): number {
    const most = this.graph.maxConstantElements
    // Work grows with the other lengths even if one is 0.
    if (elementCount(shape.map((size) => Math.max(size, 1))) <= most) return elementCount(shape)
    throw this.error(
      `needs a constant of [${shape}], which must have at most ${most} elements in this model`,
    )
  }

  /** Normalizes an axis of a value with `rank` axes: negative ones count from the end. */
  axis(axis: number, rank: number): number {
    const normalized = axis < 0 ? axis + rank : axis
    if (!(normalized >= 0 && normalized < rank))
      throw this.error(`axis must be in [${-rank}, ${rank}), but is ${axis}`)
    return normalized
  }
}

/** Operators that only move elements. */
const layoutOperators: ReadonlySet<string> = new Set([
  'Reshape',
  'Transpose',
  'Gather',
  'Concat',
  'ReorderInput',
  'ReorderOutput',
])

/** A number as text that distinguishes −0 from 0. */
const text = (x: unknown): string => (Object.is(x, -0) ? '-0' : String(x))

/** Types of all outputs of an operation, by the operator's name, with its domain: `com.example.Swish`. */
type ShapeRules = ReadonlyMap<string, (operation: Operation) => readonly InferredType[]>

/** A graph under construction: names, values and operations. It computes nothing. */
export class Graph {
  /** How gradients and operators are written. */
  readonly lowering: Lowering
  /** Shape rules that come before those of this package. */
  readonly shapeRules: ShapeRules
  readonly #names = new Set<string>()
  readonly #reservedNames = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #inputs: Value[] = []
  readonly #initializers: Value[] = []
  readonly #constants = new Map<string, Value>()
  readonly #operations: Operation[] = []
  readonly #sharesLayouts: boolean
  readonly #layouts = new Map<string, Operation>()
  readonly #stopped = new Set<Value>()
  /** The number of elements of all inputs, parameters and named tensors. */
  #givenElements = 0

  /**
   * @param equalLayouts - `shared` appends an operation that only moves elements once for equal inputs and
   *   attributes, and stores equal lists of indices once.
   */
  constructor(
    lowering: Lowering = cpuLowering,
    equalLayouts: 'separate' | 'shared' = 'separate',
    shapeRules: ShapeRules = new Map(),
  ) {
    this.lowering = lowering
    this.shapeRules = shapeRules
    this.#sharesLayouts = equalLayouts === 'shared'
  }

  get inputs(): readonly Value[] {
    return this.#inputs
  }

  /** Weights and constants: values whose elements are part of the model. */
  get initializers(): readonly Value[] {
    return this.#initializers
  }

  /**
   * The most elements of a constant that a gradient or rewrite builds, such as the matrix of an
   * interpolation: 2²⁰ + 64 × the elements of all inputs and weights, up to 2²⁴. Attributes and shapes
   * can ask for more than any machine has.
   */
  get maxConstantElements(): number {
    return Math.min(2 ** 20 + 64 * this.#givenElements, maxConstantElements)
  }

  /** All operations, in topological order. */
  get operations(): readonly Operation[] {
    return this.#operations
  }

  /** Adds an input. */
  input(name: string, type: DataType, shape: Shape): Value {
    const value = { graph: this, name: this.claimName(name), type, shape }
    this.#givenElements += elementCount(shape.filter((size) => typeof size === 'number'))
    this.#inputs.push(value)
    return value
  }

  /** Adds a named constant tensor. */
  initializer(name: string, tensor: Tensor): Value {
    this.#givenElements += tensor.data.length
    return this.#addConstant(name, tensor)
  }

  /** Adds a named tensor that training may change. */
  parameter(name: string, initial: Tensor<'float32'>): Value {
    const { type, shape } = initial
    const value = { graph: this, name: this.claimName(name), type, shape, initial }
    this.#givenElements += initial.data.length
    this.#initializers.push(value)
    return value
  }

  /** Returns a constant with a generated name. Equal constants of up to 64 elements are one value. */
  constant(tensor: Tensor): Value {
    const key = this.#constantKey(tensor)
    const equal = key === undefined ? undefined : this.#constants.get(key)
    return equal ?? this.#addConstant(this.freshName('constant'), tensor)
  }

  #addConstant(name: string, tensor: Tensor): Value {
    const { type, shape } = tensor
    const value = { graph: this, name: this.claimName(name), type, shape, constant: tensor }
    const key = this.#constantKey(tensor)
    if (key !== undefined && !this.#constants.has(key)) this.#constants.set(key, value)
    this.#initializers.push(value)
    return value
  }

  #constantKey({ type, shape, data }: Tensor): string | undefined {
    const isIndexList = this.#sharesLayouts && type === 'int64'
    if (data.length > 64 && !isIndexList) return undefined
    return `${type} [${shape}] ${Array.from(data, text)}`
  }

  /** Returns a scalar constant. */
  scalar(value: number, type: DataType = 'float32'): Value {
    return this.constant({ type, shape: [], data: elements(type, [value]) })
  }

  /** Returns a constant list of integers, such as a shape, axes or pads. */
  integers(values: readonly number[]): Value {
    return this.constant({ type: 'int64', shape: [values.length], data: elements('int64', values) })
  }

  /** Appends an operation whose outputs are set. */
  append(operation: Operation): void {
    this.#operations.push(operation)
    const key = this.#layoutKey(operation)
    if (key !== undefined) this.#layouts.set(key, operation)
  }

  /** An earlier operation with the result of this one, if the graph shares layouts. */
  equalLayout(operation: Operation): Operation | undefined {
    const key = this.#layoutKey(operation)
    return key === undefined ? undefined : this.#layouts.get(key)
  }

  #layoutKey({ operator, domain, inputs, attributes }: Operation): string | undefined {
    if (!this.#sharesLayouts || !layoutOperators.has(operator)) return undefined
    const names = inputs.map((input) => input?.name ?? '')
    return JSON.stringify([domain, operator, names, [...attributes]])
  }

  /** Makes differentiation take a value for a constant, and returns the value. */
  stopGradient(value: Value): Value {
    this.#stopped.add(value)
    return value
  }

  /** Whether differentiation takes a value for a constant. */
  stopsGradient(value: Value): boolean {
    return this.#stopped.has(value)
  }

  /** Adds the constant output of an operation that was folded. */
  appendFolded(value: Value): void {
    this.#initializers.push(value)
  }

  /** Reserves names for values that are added later under exactly these names. */
  reserveNames(names: Iterable<string>): void {
    for (const name of names) this.#reservedNames.add(name)
  }

  /** Returns a name that is neither in use nor reserved. */
  freshName(stem: string): string {
    let [name, count] = [stem, this.#counts.get(stem) ?? 0]
    while (this.#names.has(name) || this.#reservedNames.has(name)) name = `${stem}_${++count}`
    this.#counts.set(stem, count)
    return name
  }

  /**
   * Marks a name as in use and returns it.
   *
   * @throws {OnnxError} If another value has the name, or runtimes would not see all of it.
   */
  claimName(name: string): string {
    if (name.includes('\0'))
      throw new OnnxError(
        `value ${JSON.stringify(name)}: name must not contain U+0000, where runtimes end it`,
      )
    if (this.#names.has(name))
      throw new OnnxError(`value "${name}": name must be unique, but another value has it`)
    this.#names.add(name)
    return name
  }
}
