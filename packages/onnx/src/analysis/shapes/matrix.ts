import type { Operation } from '../../ir/graph.ts'
import type { Dimension, Shape } from '../../model/model.ts'
import { broadcast, type ShapeRule } from './shape-rule.ts'

/** Throws unless the lengths that a product sums over are equal. */
function checkInner(
  operation: Operation,
  a: Dimension | undefined,
  b: Dimension | undefined,
): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw operation.error(`the inner lengths must be equal, but are ${a} and ${b}`)
}

const gemm: ShapeRule = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  if (a.shape.length !== 2 || b.shape.length !== 2)
    throw operation.error(`must multiply matrices, but multiplies [${a.shape}] and [${b.shape}]`)
  const transposed = (shape: Shape, name: string): Shape =>
    operation.int(name, 0) ? shape.toReversed() : shape
  const [rows = 1, inner] = transposed(a.shape, 'transA')
  const [otherInner, columns = 1] = transposed(b.shape, 'transB')
  checkInner(operation, inner, otherInner)
  return [{ type: a.type, shape: [rows, columns] }]
}

/** A vector is a row on the left and a column on the right; the result drops its axis of length 1. */
const matMul: ShapeRule = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  if (a.shape.length === 0 || b.shape.length === 0)
    throw operation.error(
      `must multiply values with axes, but multiplies [${a.shape}] and [${b.shape}]`,
    )
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  checkInner(operation, left.at(-1), right.at(-2))
  const batch = broadcast(operation, left.slice(0, -2), right.slice(0, -2))
  const rows = a.shape.length === 1 ? [] : left.slice(-2, -1)
  const columns = b.shape.length === 1 ? [] : right.slice(-1)
  return [{ type: a.type, shape: [...batch, ...rows, ...columns] }]
}

/** Shapes of matrix products. */
export const matrixShapes: Readonly<Record<string, ShapeRule>> = { Gemm: gemm, MatMul: matMul }
