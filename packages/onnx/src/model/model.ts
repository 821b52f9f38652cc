import type { Message } from '@bufbuild/protobuf'
import type { DataType, Elements } from './data-type.ts'

/** The length of an axis, or the name of a length that is settled later, such as `batch`. */
export type Dimension = number | string

/** The lengths of all axes. */
export type Shape = readonly Dimension[]

/** Elements in row-major order. */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T
  readonly shape: readonly number[]
  readonly data: Elements<T>
}

/** Tells tensors that can be trained from others. */
export const isFloat32 = (tensor: Tensor | OpaqueTensor): tensor is Tensor<'float32'> =>
  tensor.type === 'float32'

/** A tensor of a type that is not computed with (strings, four-bit numbers …): carried, not read. */
export interface OpaqueTensor {
  readonly type: 'opaque'
  readonly message: Message
}

/** A value of a node's attribute. A bare number is an integer, a bare array a list of integers. */
export type Attribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly floats: readonly number[] }
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
  /** What it was read from; fields that are not understood are written back from it. */
  readonly message?: Message
}

/** What is known of a value: an input, an output, or one in between. */
export interface ValueInfo {
  readonly name: string
  /** Absent where it is not a tensor of a type that is computed with. */
  readonly type: DataType | undefined
  /** Absent where not even the number of axes is known. */
  readonly shape: Shape | undefined
  readonly message?: Message
}

/** A model: a graph of nodes in an order in which they can run. Operators are those of opset 21. */
export interface Model {
  readonly name: string
  /** What a run is given; initializers are not among them. */
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Tensor | OpaqueTensor>
  /** What the file tells about values that are neither input nor output. */
  readonly values: ReadonlyMap<string, ValueInfo>
  /** The operator sets used beside the standard one, and their versions. */
  readonly domains: ReadonlyMap<string, number>
  readonly message?: Message
}

/** The product of lengths: 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((n, size) => n * size, 1)
