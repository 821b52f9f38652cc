import { OnnxError } from '../error.ts'
import type { Graph } from '../ir/graph.ts'
import { sizeOf, sizes, type Value } from '../ir/value.ts'
import { codeOf, type DataType } from '../model/data-type.ts'
import type { Attribute, Shape } from '../model/model.ts'
import { applyOperator } from './apply.ts'

/** A value, or a number that stands for a scalar of the other operand's type. */
export type Operand = Value | number

/** Applies an operator, and gives its first output. */
export function apply(
  operator: string,
  inputs: readonly [Value, ...(Value | undefined)[]],
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  const [{ graph }] = inputs
  return applyOperator(graph, operator, inputs, {
    attributes: new Map(Object.entries(attributes)),
  }).output()
}

interface Binary {
  (a: Value, b: Operand): Value
  (a: Operand, b: Value): Value
}

function binary(operator: string): Binary {
  return (a: Operand, b: Operand): Value => {
    if (typeof a !== 'number') return apply(operator, [a, beside(a, b)])
    if (typeof b !== 'number') return apply(operator, [beside(b, a), b])
    throw new OnnxError(`${operator}: one of ${a} and ${b} must be a value`)
  }
}

/** An operand as a value in another one's graph. */
const beside = (other: Value, operand: Operand): Value =>
  typeof operand === 'number' ? other.graph.scalar(operand, other.type) : operand

const unary =
  (operator: string) =>
  (x: Value): Value =>
    apply(operator, [x])

export const add: Binary = binary('Add')
export const sub: Binary = binary('Sub')
export const mul: Binary = binary('Mul')
export const div: Binary = binary('Div')
export const pow: Binary = binary('Pow')
export const min: Binary = binary('Min')
export const max: Binary = binary('Max')
export const equal: Binary = binary('Equal')
export const greater: Binary = binary('Greater')
export const less: Binary = binary('Less')
export const lessOrEqual: Binary = binary('LessOrEqual')
export const and: Binary = binary('And')

export const abs: (x: Value) => Value = unary('Abs')
export const erf: (x: Value) => Value = unary('Erf')
export const exp: (x: Value) => Value = unary('Exp')
export const log: (x: Value) => Value = unary('Log')
export const neg: (x: Value) => Value = unary('Neg')
export const relu: (x: Value) => Value = unary('Relu')
export const sigmoid: (x: Value) => Value = unary('Sigmoid')
export const sign: (x: Value) => Value = unary('Sign')
export const softplus: (x: Value) => Value = unary('Softplus')
export const sqrt: (x: Value) => Value = unary('Sqrt')
export const tanh: (x: Value) => Value = unary('Tanh')

/** x² */
export const square = (x: Value): Value => mul(x, x)

/** The elements of a where the condition holds, of b elsewhere. */
export const where = (condition: Value, a: Value, b: Operand): Value =>
  apply('Where', [condition, a, beside(a, b)])

export const cast = (x: Value, to: DataType): Value => apply('Cast', [x], { to: codeOf(to) })

/** Lays the same elements out in another shape; a shape that it has already costs nothing. */
export function reshape(x: Value, shape: readonly number[]): Value {
  const same = x.shape.length === shape.length && shape.every((size, i) => size === x.shape[i])
  return same ? x : apply('Reshape', [x, x.graph.integers(shape)])
}

export const transpose = (x: Value, perm: readonly number[]): Value =>
  apply('Transpose', [x], { perm })

/** Swaps the last two axes. */
export const transposeMatrix = (x: Value): Value => {
  const axes = x.shape.map((_, axis) => axis)
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).toReversed()])
}

export const matMul = (a: Value, b: Value): Value => apply('MatMul', [a, b])

/** A·B, each transposed first where it is told so. */
export const gemm = (a: Value, b: Value, transposed: { a?: boolean; b?: boolean } = {}): Value =>
  apply('Gemm', [a, b], { transA: Number(transposed.a ?? 0), transB: Number(transposed.b ?? 0) })

const reduction =
  (operator: string) =>
  /** Reduced axes stay, with length 1, unless they are dropped. No axes reduce nothing. */
  (x: Value, axes: readonly number[], keep: 'keep' | 'drop' = 'keep'): Value =>
    axes.length === 0
      ? x
      : apply(operator, [x, x.graph.integers(axes)], { keepdims: Number(keep === 'keep') })

type Reduction = (x: Value, axes: readonly number[], keep?: 'keep' | 'drop') => Value
export const reduceSum: Reduction = reduction('ReduceSum')
export const reduceMean: Reduction = reduction('ReduceMean')

/** Repeats axes of length 1, and adds axes in front, until the shape is reached. */
export const expand = (x: Value, shape: readonly number[]): Value =>
  apply('Expand', [x, x.graph.integers(shape)])

export const concat = (parts: readonly [Value, ...Value[]], axis: number): Value =>
  apply('Concat', parts, { axis })

/** Every `step`-th place of one axis, from `start` to before `end`. */
export function slice(
  x: Value,
  ranges: readonly { axis: number; start: number; end: number; step?: number }[],
): Value {
  const list = (values: readonly number[]): Value => x.graph.integers(values)
  return apply('Slice', [
    x,
    list(ranges.map(({ start }) => start)),
    list(ranges.map(({ end }) => end)),
    list(ranges.map(({ axis }) => axis)),
    list(ranges.map(({ step }) => step ?? 1)),
  ])
}

/** The places of one axis that are listed. */
export const gather = (x: Value, places: readonly number[], axis: number): Value =>
  apply('Gather', [x, x.graph.integers(places)], { axis })

/** One axis backwards; not every provider has a Slice that goes backwards. */
export const reverse = (x: Value, axis: number): Value =>
  gather(x, Array.from({ length: sizeOf(x, axis) }, (_, i) => i).toReversed(), axis)

/** Adds zeros before and after every axis; negative amounts take elements away. */
export function pad(x: Value, begin: readonly number[], end: readonly number[]): Value {
  return [...begin, ...end].every((amount) => amount === 0)
    ? x
    : apply('Pad', [x, x.graph.integers([...begin, ...end])])
}

/** A value full of one number. */
export const filled = (graph: Graph, shape: readonly number[], value = 0): Value =>
  applyOperator(graph, 'ConstantOfShape', [graph.integers(shape)], {
    attributes: new Map([
      ['value', { tensor: { type: 'float32', shape: [1], data: Float32Array.of(value) } }],
    ]),
  }).output()

/**
 * Sums a value over the axes along which `shape` was repeated to make it: the transpose of
 * broadcasting.
 */
export function sumTo(x: Value, shape: Shape): Value {
  const [from, to] = [sizes(x), sizes({ name: x.name, shape })]
  const added = from.length - to.length
  const repeated = from.flatMap((size, axis) =>
    axis < added || (to[axis - added] === 1 && size !== 1) ? [axis] : [],
  )
  return reshape(reduceSum(x, repeated), to)
}
