import type { Operation } from '../ir/operation.ts'
import type { Value } from '../ir/value.ts'
import { sumTo } from '../ops/operations.ts'

/**
 * A vector-Jacobian product: from the gradient ∂y of an operation's output (of each, where there are
 * several) to the gradient of every input, as far as it has one. What turns out not to be needed is
 * dropped later, so a rule writes down all of them.
 */
export type Rule = (
  operation: Operation,
  dy: Value,
  ...more: readonly Value[]
) => readonly (Value | undefined)[]

/** The rule of an operator on every element of one input, given ∂x from x, y and ∂y. */
export const unary =
  (dx: (x: Value, dy: Value, y: Value, operation: Operation) => Value): Rule =>
  (operation, dy) => [dx(operation.input(0), dy, operation.output(), operation)]

/** The rule of an operator on pairs of elements; what broadcasting repeated is summed. */
export const binary =
  (gradients: (a: Value, b: Value, dy: Value, y: Value) => readonly [da: Value, db: Value]): Rule =>
  (operation, dy) => {
    const [a, b] = [operation.input(0), operation.input(1)]
    const [da, db] = gradients(a, b, dy, operation.output())
    return [sumTo(da, a.shape), sumTo(db, b.shape)]
  }
