import type { Operation, Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import { apply } from '../../ops/apply.ts'
import { cast, equal, expand, filled, reshape, sumTo, transpose } from '../../ops/builders.ts'

/**
 * A vector-Jacobian product: from the gradient ∂y of an operation's output (of every output for Split)
 * to the gradient of every input, `undefined` for inputs without one. Unused gradients are eliminated
 * later as dead code, so a rule appends all of them.
 */
export type GradientRule = (
  operation: Operation,
  dy: Value,
  ...more: readonly Value[]
) => readonly (Value | undefined)[]

/** The rule of an operator with one differentiable input, from ∂x as a function of x, ∂y and y. */
export const unary =
  (dx: (x: Value, dy: Value, y: Value, operation: Operation) => Value): GradientRule =>
  (operation, dy) => [dx(operation.input(0), dy, operation.output(), operation)]

/** The rule of an elementwise operator on two inputs; sums gradients over broadcast axes. */
export const binary =
  (
    gradients: (a: Value, b: Value, dy: Value, y: Value) => readonly [da: Value, db: Value],
  ): GradientRule =>
  (operation, dy) => {
    const [a, b] = [operation.input(0), operation.input(1)]
    const [da, db] = gradients(a, b, dy, operation.output())
    return [sumTo(da, a.shape), sumTo(db, b.shape)]
  }

/** 1 where x equals y, 0 elsewhere: marks the elements that are the extremum y. */
export const equalMask = (x: Value, y: Value): Value => cast(equal(x, y), 'float32')

/**
 * The transpose of `Gather`: zeros of a shape, with every element of ∂y added at its index of an axis.
 * The axis is moved to the front, so that every index selects a row.
 */
export function scatterRows(
  dy: Value,
  indices: Value,
  shape: readonly number[],
  axis: number,
): Value {
  const rest = shape.toSpliced(axis, 1)
  const indexAxes = dy.shape.map((_, i) => i).slice(axis, axis + indices.shape.length)
  const others = dy.shape.map((_, i) => i).filter((i) => !indexAxes.includes(i))
  const rows = [elementCount(staticShape(indices)), elementCount(rest)]
  const updates = reshape(transpose(dy, [...indexAxes, ...others]), rows)
  const targets = expand(reshape(indices, [rows[0] ?? 1, 1]), rows)
  const zeros = filled(dy.graph, [shape[axis] ?? 1, elementCount(rest)])
  const sum = apply('ScatterElements', [zeros, targets, updates], { axis: 0, reduction: 'add' })
  const front = reshape(sum, [shape[axis] ?? 1, ...rest])
  const back = shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
  return transpose(front, back)
}
