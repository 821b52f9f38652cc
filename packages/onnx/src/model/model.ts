import type { Message } from '@bufbuild/protobuf'
import type { DataType, Elements } from './data-type.ts'

/** The length of an axis, or the name of a length that is not fixed yet, such as `batch`. */
export type Dimension = number | string

/** The lengths of all axes. */
export type Shape = readonly Dimension[]

/** The number of elements: the product of the lengths, 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((n, size) => n * size, 1)

/** The multi-index of every element of a shape, in row-major order: one index per axis. */
export const multiIndices = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.includes(0)
    ? []
    : shape.reduce<readonly (readonly number[])[]>(
        (all, size) =>
          all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
        [[]],
      )

/** Elements in row-major order. */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T
  readonly shape: readonly number[]
  readonly data: Elements<T>
}

/** Only float32 tensors can be trained. */
export const isFloat32 = (tensor: Tensor | OpaqueTensor): tensor is Tensor<'float32'> =>
  tensor.type === 'float32'

/** A tensor of an unsupported type (strings, four-bit numbers …), kept as its message. */
export interface OpaqueTensor {
  readonly type: 'opaque'
  readonly message: Message
}

/** The value of a node's attribute. A plain number is an integer, a plain array a list of integers. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor }
  | { readonly message: Message }

/** One application of an operator. An absent optional input or output has the empty name. */
export interface Node {
  readonly operator: string
  /** Empty for the standard operators. */
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
  /** Of an If: one of them takes its place once the condition is known. */
  readonly branches?: { readonly then: Branch; readonly otherwise: Branch }
  /** The message that the node was read from; `writeModel` keeps its unknown fields. */
  readonly message?: Message
}

/** A branch of an If. It reads values of the graph around it, which has its initializers as well. */
export interface Branch {
  readonly nodes: readonly Node[]
  /** The names of the values that become the outputs of the If. */
  readonly outputs: readonly string[]
}

/** The type and shape of a value: an input, an output, or an intermediate one. */
export interface ValueInfo {
  readonly name: string
  /** `undefined` if the value is not a tensor of a supported type. */
  readonly type: DataType | undefined
  /** `undefined` if not even the number of axes is known. */
  readonly shape: Shape | undefined
  readonly message?: Message
}

/** A model: a graph of nodes in topological order. Operators are those of opset 21. */
export interface Model {
  readonly name: string
  /** The inputs of a run, without initializers. */
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Tensor | OpaqueTensor>
  /** Declared types and shapes of intermediate values. */
  readonly values: ReadonlyMap<string, ValueInfo>
  /** The operator sets used beside the standard one, and their versions. */
  readonly domains: ReadonlyMap<string, number>
  /** Text by key, of your choice: classes, preprocessing, a licence. */
  readonly metadata?: ReadonlyMap<string, string>
  /** Low-rank adapters. If there are some, only they and what was named with them are trained. */
  readonly lora?: ModelAdapters
  readonly message?: Message
  /** The model as it was read, by which `writeModel` finds what has changed since. */
  readonly origin?: ModelOrigin
}

/** The adapters that `lora` added to a model. */
export interface ModelAdapters {
  /** The model without them. */
  readonly base: Model
  /** The names of all initializers that are trained. */
  readonly trained: ReadonlySet<string>
  /** By the name of the weight, the names of A and B, and the factor of their product. */
  readonly adapters: ReadonlyMap<
    string,
    { readonly a: string; readonly b: string; readonly scale: number }
  >
}

/** A model as it was read, without its weights, which would take memory. */
interface ModelOrigin extends Pick<Model, 'inputs' | 'outputs' | 'nodes' | 'values' | 'domains'> {
  /** All initializers. Only those that reading has added, which the file lacks, have their tensors. */
  readonly initializers: ReadonlyMap<string, Tensor | OpaqueTensor | undefined>
}
