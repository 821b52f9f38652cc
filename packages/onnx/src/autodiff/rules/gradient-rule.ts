import type { Operation, Value } from '../../ir/graph.ts'
import { cast, equal, sumTo } from '../../ops/builders.ts'

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
