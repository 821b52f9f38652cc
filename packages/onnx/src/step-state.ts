import type { Arithmetic } from '@diffgrad/core'
import type { FlatArray } from './flat-parameters.ts'
import type { Graph, Value } from './ir/graph.ts'
import { staticShape } from './ir/value.ts'
import { OnnxError } from './model/error.ts'
import { elementCount, type Tensor } from './model/model.ts'
import {
  abs,
  add,
  concatAll,
  div,
  exp,
  filled,
  greater,
  less,
  lessOrEqual,
  max,
  min,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  sigmoid,
  slice,
  sqrt,
  square,
  sub,
  where,
} from './ops/builders.ts'
import {
  arrayKey,
  type KernelOperation,
  type StepOperation,
  type TransformOperation,
} from './step-operations.ts'

/** What a state consists of besides the parameters. */
interface StepStateOptions {
  readonly flat: readonly (readonly string[])[]
  readonly temporary: readonly string[]
}

/** What an operation takes and gives besides arrays: scalars. */
interface AppendedOperation {
  /** The inputs of its coefficients and of its scalar state, by their names. */
  readonly coefficients: ReadonlyMap<string, Value>
  /** The next scalar state, by name. */
  readonly scalars: ReadonlyMap<string, Value>
}

/** The parameters of a list that is one vector, or of a parameter that is alone. */
interface Group {
  readonly name: string
  readonly parameters: readonly Value[]
  readonly isFlat: boolean
}

/**
 * The arrays of all parameters while an update is appended to a graph: what each of them is so far. The
 * arrays of a flat list are one vector as long as operations write all of them.
 */
export class StepState {
  /** The inputs that are no parameter of the forward model. */
  readonly inputs: Value[] = []
  readonly #graph: Graph
  readonly #temporary: ReadonlySet<string>
  readonly #groups = new Map<string, Group>()
  readonly #parameters = new Map<string, Value>()
  /** The input of each array of a group, by `arrayKey`. */
  readonly #initial = new Map<string, Value>()
  /** The vectors of groups, by `arrayKey` with the group's name. */
  readonly #vectors = new Map<string, Value>()
  /** Arrays in the shapes of their parameters, by `arrayKey`. */
  readonly #pieces = new Map<string, Value>()
  readonly #written = new Set<string>()
  /** The kernel that read an array first, by the array's name. */
  readonly #readers = new Map<string, string>()

  constructor(
    graph: Graph,
    gradients: ReadonlyMap<Value, Value>,
    { flat, temporary }: StepStateOptions,
  ) {
    this.#graph = graph
    this.#temporary = new Set(temporary)
    for (const [theta, g] of gradients) {
      this.#parameters.set(theta.name, theta)
      this.#pieces.set(arrayKey(theta.name, 'theta'), theta)
      this.#pieces.set(arrayKey(theta.name, 'g'), g)
      const alone = { name: theta.name, parameters: [theta], isFlat: false }
      this.#groups.set(theta.name, alone)
    }
    for (const [i, names] of flat.entries()) {
      const parameters = names.map((name) => this.#parameter(name))
      const group = { name: `${i}`, parameters, isFlat: true }
      for (const name of names) this.#groups.set(name, group)
      const data = new Float32Array(elementsOf(parameters))
      let offset = 0
      for (const { initial } of parameters) {
        if (initial) data.set(initial.data, offset)
        offset += initial?.data.length ?? 0
      }
      this.#vectors.set(arrayKey(group.name, 'theta'), this.#input(group, 'theta', data))
    }
  }

  /** Appends an operation. */
  append(operation: StepOperation): AppendedOperation {
    if ('kernel' in operation) return this.#appendKernel(operation)
    const groups = this.#covered([...operation.parameters])
    const limit = operation.transform === 'clip' ? this.#coefficient('limit') : undefined
    if (limit) this.#clip(operation, groups, limit)
    else for (const name of operation.parameters) this.#centralize(name, operation.array)
    return { coefficients: new Map(limit ? [['limit', limit]] : []), scalars: new Map() }
  }

  /** Σ|x| over an array of all parameters. */
  absoluteSum(array: string): Value {
    const groups = this.#covered([...this.#parameters.keys()])
    const sums = groups.map((group) => total(abs(this.#read(group, array))))
    return sums.reduce(add)
  }

  /** The next values of the arrays that operations have written, by their inputs. */
  changes(): ReadonlyMap<Value, Value> {
    const changes = new Map<Value, Value>()
    for (const array of this.#written) {
      if (array === 'g' || this.#temporary.has(array)) continue
      for (const group of new Set(this.#groups.values())) {
        const initial = this.#initialOf(group, array)
        const value = this.#read(group, array)
        if (value !== initial) changes.set(initial, value)
      }
    }
    return changes
  }

  /** Some arrays in the shapes of their parameters, by `arrayKey`, if operations have written them. */
  results(arrays: readonly string[]): ReadonlyMap<string, Value> {
    const written = arrays.filter((array) => this.#written.has(array))
    return new Map(
      written.flatMap((array) =>
        [...this.#parameters.keys()].map(
          (name) => [arrayKey(name, array), this.#piece(name, array)] as const,
        ),
      ),
    )
  }

  /** The input that takes each array, by `arrayKey`. */
  arrays(): ReadonlyMap<string, string> {
    const names = ['theta', ...this.#written, ...this.#readers.keys()]
    const arrays = new Set(names.filter((name) => name !== 'g' && !this.#temporary.has(name)))
    return new Map(
      [...this.#groups].flatMap(([name, group]) =>
        [...arrays].map(
          (array) => [arrayKey(name, array), this.#initialOf(group, array).name] as const,
        ),
      ),
    )
  }

  /** The vectors of parameters. */
  get flatParameters(): readonly FlatArray[] {
    const groups = [...new Set(this.#groups.values())].filter(({ isFlat }) => isFlat)
    return groups.map((group) => ({
      value: this.#initialOf(group, 'theta'),
      parameters: group.parameters,
    }))
  }

  /** @throws {OnnxError} If a kernel reads a state that no operation writes. */
  checkWritten(): void {
    for (const [array, kernel] of this.#readers)
      if (array !== 'theta' && array !== 'g' && !this.#written.has(array))
        throw new OnnxError(`update ${kernel}: reads "${array}", which it must write, but does not`)
  }

  #appendKernel({
    kernel,
    parameters,
    arrays = {},
    sums = [],
  }: KernelOperation): AppendedOperation {
    const dependents = new Set(
      sums.flatMap(({ scalars, state }) => scalars.writes.filter((name) => !state.includes(name))),
    )
    const kernels = [...sums.flatMap(({ elements, scalars }) => [elements, scalars]), kernel]
    const names = new Set(kernels.flatMap((one) => one.coefficients))
    const coefficients = new Map(
      [...names]
        .filter((name) => !dependents.has(name))
        .map((name) => [name, this.#coefficient(name)] as const),
    )
    const arrayOf = (name: string): string => arrays[name] ?? name
    for (const name of kernel.reads)
      if (!this.#readers.has(arrayOf(name))) this.#readers.set(arrayOf(name), kernel.name)
    const arithmetic = graphArithmetic(this.#graph)
    const nextScalars = new Map<string, Value>()
    // Sums are over one parameter each.
    const groups =
      sums.length > 0
        ? [...parameters].flatMap((name) => this.#covered([name]))
        : this.#covered([...parameters])
    for (const group of groups) {
      const inputs = new Map(
        kernel.reads.map((name) => [name, this.#read(group, arrayOf(name))] as const),
      )
      const read = Object.fromEntries(inputs)
      const values = Object.fromEntries(coefficients)
      for (const { elements, scalars, state } of sums) {
        const summed = elements.evaluate(arithmetic, read, values)
        const totals = elements.writes.map((name) => [name, total(summed[name])] as const)
        const results = scalars.evaluate(arithmetic, Object.fromEntries(totals), values)
        for (const [name, value] of Object.entries(results)) {
          if (state.includes(name)) nextScalars.set(name, value)
          else values[name] = value
        }
      }
      const written = kernel.evaluate(arithmetic, read, values)
      for (const name of kernel.writes) {
        const value = written[name]
        if (value) this.#write(group, arrayOf(name), value)
      }
    }
    return { coefficients, scalars: nextScalars }
  }

  #centralize(name: string, array: string): void {
    const value = this.#piece(name, array)
    const axes = value.shape.map((_, axis) => axis).slice(1)
    if (axes.length > 0) this.#setPiece(name, array, sub(value, reduceMean(value, axes)))
  }

  /** x · min(1, limit/‖x‖), with ‖x‖ = s·√Σ(x/s)² and s = max|x|, so that squares do not overflow. */
  #clip({ array }: TransformOperation, groups: readonly Group[], limit: Value): void {
    const values = groups.map((group) => this.#read(group, array))
    const largest = values.map((value) => largestOf(abs(value))).reduce(max)
    const scale = where(lessOrEqual(largest, 0), this.#graph.scalar(1), largest)
    const squares = values.map((value) => total(square(div(value, scale))))
    const norm = mul(scale, sqrt(squares.reduce(add)))
    const factor = where(lessOrEqual(norm, limit), this.#graph.scalar(1), div(limit, norm))
    for (const [i, group] of groups.entries()) this.#write(group, array, mul(values[i], factor))
  }

  #coefficient(name: string): Value {
    return this.#graph.input(this.#graph.freshName(`coefficient/${name}`), 'float32', [])
  }

  /** The groups that have exactly these parameters, or each parameter alone where a group has others, too. */
  #covered(names: readonly string[]): readonly Group[] {
    const selected = new Set(names)
    const groups = new Set<Group>()
    const alone: Group[] = []
    for (const name of selected) {
      const group = this.#groups.get(name)
      const theta = this.#parameter(name)
      if (group?.parameters.every((parameter) => selected.has(parameter.name))) groups.add(group)
      else alone.push({ name, parameters: [theta], isFlat: false })
    }
    return [...groups, ...alone]
  }

  #parameter(name: string): Value {
    const theta = this.#parameters.get(name)
    if (theta) return theta
    throw new OnnxError(`train step: no trained parameter is called "${name}"`)
  }

  /** An array of a group as a vector, or of a parameter that is alone in its own shape. */
  #read(group: Group, array: string): Value {
    const [first] = group.parameters
    if (!group.isFlat && first) return this.#piece(first.name, array)
    const key = arrayKey(group.name, array)
    const pieces = this.#piecesOf(group, array)
    if (!pieces) {
      const vector = this.#vectors.get(key) ?? this.#initialOf(group, array)
      this.#vectors.set(key, vector)
      return vector
    }
    const vector = concatAll(pieces.map(flatten), 0)
    this.#vectors.set(key, vector)
    for (const { name } of group.parameters) this.#pieces.delete(arrayKey(name, array))
    return vector
  }

  /** The arrays of a flat list, if they are newer than its vector. θ of the forward model are as old. */
  #piecesOf(group: Group, array: string): readonly Value[] | undefined {
    if (array === 'theta' && !this.#written.has('theta')) return
    const pieces = group.parameters.flatMap(
      ({ name }) => this.#pieces.get(arrayKey(name, array)) ?? [],
    )
    return pieces.length === group.parameters.length ? pieces : undefined
  }

  #piece(name: string, array: string): Value {
    const key = arrayKey(name, array)
    const piece = this.#pieces.get(key)
    if (piece) return piece
    const theta = this.#parameter(name)
    const group = this.#groups.get(name)
    if (!group?.isFlat) {
      const value = this.#temporary.has(array)
        ? filled(this.#graph, staticShape(theta))
        : this.#initialOf({ name, parameters: [theta], isFlat: false }, array)
      this.#pieces.set(key, value)
      return value
    }
    const vector = this.#read(group, array)
    let start = 0
    for (const other of group.parameters) {
      const end = start + elementCount(staticShape(other))
      const part = slice(vector, [{ axis: 0, start, end }])
      if (other.name === name) return reshape(part, staticShape(theta))
      start = end
    }
    throw new OnnxError(`train step: "${name}" is in no flat list`)
  }

  #write(group: Group, array: string, value: Value): void {
    this.#written.add(array)
    const [first] = group.parameters
    if (!group.isFlat && first) {
      this.#setPiece(first.name, array, value)
      return
    }
    for (const { name } of group.parameters) this.#pieces.delete(arrayKey(name, array))
    this.#vectors.set(arrayKey(group.name, array), value)
  }

  /** Writes the array of one parameter. In a flat list, all others become pieces, too. */
  #setPiece(name: string, array: string, value: Value): void {
    this.#written.add(array)
    const group = this.#groups.get(name)
    const parameters = group?.isFlat ? group.parameters : []
    const pieces = parameters.map((other) => this.#piece(other.name, array))
    for (const [i, other] of parameters.entries())
      this.#pieces.set(arrayKey(other.name, array), pieces[i] as Value)
    this.#pieces.set(arrayKey(name, array), value)
  }

  /** The input that takes an array of a group. */
  #initialOf(group: Group, array: string): Value {
    const [first] = group.parameters
    if (!group.isFlat && array === 'theta' && first) return first
    const existing = this.#initial.get(arrayKey(group.name, array))
    if (existing) return existing
    if (this.#temporary.has(array)) return filled(this.#graph, [elementsOf(group.parameters)])
    return this.#input(group, array, new Float32Array(elementsOf(group.parameters)))
  }

  #input(group: Group, array: string, data: Float32Array<ArrayBuffer>): Value {
    const [first] = group.parameters
    const shape = group.isFlat || !first ? [data.length] : staticShape(first)
    const name = this.#graph.freshName(
      group.isFlat ? `${array}/${group.name}` : `${group.name}/${array}`,
    )
    const tensor: Tensor<'float32'> = { type: 'float32', shape, data }
    const value = this.#graph.parameter(name, tensor)
    this.#initial.set(arrayKey(group.name, array), value)
    this.inputs.push(value)
    return value
  }
}

const elementsOf = (values: readonly Value[]): number =>
  values.reduce((sum, value) => sum + elementCount(staticShape(value)), 0)

const flatten = (x: Value): Value => reshape(x, [elementCount(staticShape(x))])

const allAxes = (x: Value): readonly number[] => x.shape.map((_, axis) => axis)

const total = (x: Value): Value => reduceSum(x, allAxes(x), 'drop')

const largestOf = (x: Value): Value => reduceMax(x, allAxes(x), 'drop')

/** An arithmetic that appends operators to a graph. */
const graphArithmetic = (graph: Graph): Arithmetic<Value> => ({
  constant: (value) => graph.scalar(value),
  add,
  sub,
  mul,
  div,
  min,
  max,
  abs,
  // Not the operator Sign, which WebGPU lacks, and which loses NaN.
  sign: (x) => where(greater(x, 0), graph.scalar(1), where(less(x, 0), graph.scalar(-1), x)),
  square,
  sqrt,
  exp,
  sigmoid,
})
