import type { Graph, Value } from '../ir/graph.ts'
import { axisSize, staticShape } from '../ir/value.ts'
import { codeOf, type DataType } from '../model/data-type.ts'
import { OnnxError } from '../model/error.ts'
import type { Shape } from '../model/model.ts'
import { apply, applyOperator } from './apply.ts'

/** A value, or a number as a scalar of the other operand's type. */
export type Operand = Value | number

/** An operator on two operands, one of which may be a number. */
export interface Binary {
  (a: Value, b: Operand): Value
  (a: Operand, b: Value): Value
}

function binary(operator: string): Binary {
  return (a: Operand, b: Operand): Value => {
    if (typeof a !== 'number') return apply(operator, [a, asValue(a, b)])
    if (typeof b !== 'number') return apply(operator, [asValue(b, a), b])
    throw new OnnxError(`${operator}: one of ${a} and ${b} must be a value`)
  }
}

/**
 * Converts a number to a scalar of the other operand's graph and type.
 *
 * @throws {OnnxError} If it is a fraction, and the other operand holds integers.
 */
function asValue(other: Value, operand: Operand): Value {
  if (typeof operand !== 'number') return operand
  const isReal = other.type === 'float32' || other.type === 'float64'
  if (!isReal && !Number.isSafeInteger(operand))
    throw new OnnxError(
      `value "${other.name}": must be float32 to be combined with ${operand}, but is ${other.type}`,
    )
  return other.graph.scalar(operand, other.type)
}

const unary =
  (operator: string) =>
  (x: Value): Value =>
    apply(operator, [x])

/** a + b. */
export const add: Binary = binary('Add')
/** a − b. */
export const sub: Binary = binary('Sub')
/** a · b, elementwise. */
export const mul: Binary = binary('Mul')
/** a / b. */
export const div: Binary = binary('Div')
/** aᵇ. */
export const pow: Binary = binary('Pow')
/** The smaller of a and b. */
export const min: Binary = binary('Min')
/** The larger of a and b. */
export const max: Binary = binary('Max')
/** Whether a = b. */
export const equal: Binary = binary('Equal')
/** Whether a > b. */
export const greater: Binary = binary('Greater')
/** Whether a ≥ b. */
export const greaterOrEqual: Binary = binary('GreaterOrEqual')
/** Whether a < b. */
export const less: Binary = binary('Less')
/** Whether a ≤ b. */
export const lessOrEqual: Binary = binary('LessOrEqual')
/** Whether a and b hold. */
export const and: Binary = binary('And')

/** |x|. */
export const abs: (x: Value) => Value = unary('Abs')
/** The error function of x. */
export const erf: (x: Value) => Value = unary('Erf')
/** eˣ. */
export const exp: (x: Value) => Value = unary('Exp')
/** ln x. */
export const log: (x: Value) => Value = unary('Log')
/** −x. */
export const neg: (x: Value) => Value = unary('Neg')
/** σ(x) = 1 / (1 + e⁻ˣ). */
export const sigmoid: (x: Value) => Value = unary('Sigmoid')
/** −1, 0 or 1: the sign of x. */
export const sign: (x: Value) => Value = unary('Sign')
/** ln(1 + eˣ). */
export const softplus: (x: Value) => Value = unary('Softplus')
/** √x. */
export const sqrt: (x: Value) => Value = unary('Sqrt')
/** tanh x. */
export const tanh: (x: Value) => Value = unary('Tanh')

/** x² */
export const square = (x: Value): Value => mul(x, x)

/** The elements of a where the condition holds, and of b elsewhere. */
export const where = (condition: Value, a: Value, b: Operand): Value =>
  apply('Where', [condition, a, asValue(a, b)])

/** The elements of x as another data type. */
export const cast = (x: Value, to: DataType): Value => apply('Cast', [x], { to: codeOf(to) })

/** Reshapes a value. Appends nothing if it has the shape already. */
export function reshape(x: Value, shape: readonly number[]): Value {
  const same = x.shape.length === shape.length && shape.every((size, i) => size === x.shape[i])
  return same ? x : apply('Reshape', [x, x.graph.integers(shape)])
}

/** Permutes the axes: axis i of the result is axis perm[i] of x. */
export const transpose = (x: Value, perm: readonly number[]): Value =>
  apply('Transpose', [x], { perm })

/** Swaps the last two axes. */
export const transposeMatrix = (x: Value): Value => {
  const axes = x.shape.map((_, axis) => axis)
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).toReversed()])
}

/** The matrix product A·B of the last two axes. */
export const matMul = (a: Value, b: Value): Value => apply('MatMul', [a, b])

/** A·B, with A or B transposed first if `transposed` says so. */
export const gemm = (a: Value, b: Value, transposed: { a?: boolean; b?: boolean } = {}): Value =>
  apply('Gemm', [a, b], { transA: Number(transposed.a ?? 0), transB: Number(transposed.b ?? 0) })

const reduction =
  (operator: string) =>
  (x: Value, axes: readonly number[], keep: 'keep' | 'drop' = 'keep'): Value =>
    axes.length === 0
      ? x
      : apply(operator, [x, x.graph.integers(axes)], { keepdims: Number(keep === 'keep') })

/** Reduced axes keep length 1 unless dropped. An empty list of axes reduces nothing. */
export type Reduction = (x: Value, axes: readonly number[], keep?: 'keep' | 'drop') => Value
/** The sum over some axes. */
export const reduceSum: Reduction = reduction('ReduceSum')
/** The mean over some axes. */
export const reduceMean: Reduction = reduction('ReduceMean')
/** The product over some axes. */
export const reduceProd: Reduction = reduction('ReduceProd')
/** The largest element over some axes. */
export const reduceMax: Reduction = reduction('ReduceMax')

/** Broadcasts a value to a shape. */
export const expand = (x: Value, shape: readonly number[]): Value =>
  apply('Expand', [x, x.graph.integers(shape)])

/** Concatenates values along an axis. */
export const concat = (values: readonly [Value, ...Value[]], axis: number): Value =>
  apply('Concat', values, { axis })

/** Concatenates any number of values but none. A single one stays as it is. */
export function concatAll(values: readonly Value[], axis: number): Value {
  const [first, ...rest] = values
  if (first === undefined) throw new OnnxError('Concat: must have an input, but has none')
  return rest.length === 0 ? first : concat([first, ...rest], axis)
}

/** Every `step`-th index of some axes, from `start` to before `end`. */
export function slice(
  x: Value,
  slices: readonly { axis: number; start: number; end: number; step?: number }[],
): Value {
  const list = (values: readonly number[]): Value => x.graph.integers(values)
  return apply('Slice', [
    x,
    list(slices.map(({ start }) => start)),
    list(slices.map(({ end }) => end)),
    list(slices.map(({ axis }) => axis)),
    list(slices.map(({ step }) => step ?? 1)),
  ])
}

/** Selects the listed indices of one axis. */
export const gather = (x: Value, indices: readonly number[], axis: number): Value =>
  apply('Gather', [x, x.graph.integers(indices)], { axis })

/** Reverses one axis. By Gather, because some execution providers lack Slice with negative steps. */
export const reverse = (x: Value, axis: number): Value =>
  gather(x, Array.from({ length: axisSize(x, axis) }, (_, i) => i).toReversed(), axis)

/** Adds zeros before and after every axis; negative amounts remove elements. */
export function pad(x: Value, begin: readonly number[], end: readonly number[]): Value {
  return [...begin, ...end].every((amount) => amount === 0)
    ? x
    : apply('Pad', [x, x.graph.integers([...begin, ...end])])
}

/** A tensor filled with one number. */
export const filled = (graph: Graph, shape: readonly number[], value = 0): Value =>
  applyOperator(graph, 'ConstantOfShape', [graph.integers(shape)], {
    attributes: new Map([
      ['value', { tensor: { type: 'float32', shape: [1], data: Float32Array.of(value) } }],
    ]),
  }).output()

/** The transpose of broadcasting from `shape`: sums over the broadcast axes. */
export function sumTo(x: Value, shape: Shape): Value {
  const [from, to] = [staticShape(x), staticShape({ name: x.name, shape })]
  const added = from.length - to.length
  const repeated = from.flatMap((size, axis) =>
    axis < added || (to[axis - added] === 1 && size !== 1) ? [axis] : [],
  )
  return reshape(reduceSum(x, repeated), to)
}

/** All axes of an image but the channels, which are axis 1. */
export const nonChannelAxes = ({ shape }: Value): readonly number[] =>
  shape.map((_, axis) => axis).filter((axis) => axis !== 1)

/** Reshapes a vector with one element per channel so that it broadcasts over an image. */
export const perChannel = (value: Value, image: Value): Value =>
  reshape(value, [...staticShape(value), ...image.shape.slice(2).map(() => 1)])
