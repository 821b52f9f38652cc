import type { Operation } from '../ir/operation.ts'
import type { Dimension, Shape } from '../model/model.ts'
import { broadcast, type Inference } from './inference.ts'

/** The lengths that a product sums over must agree. */
function agree(operation: Operation, a: Dimension | undefined, b: Dimension | undefined): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw operation.error(`the inner lengths must be equal, but are ${a} and ${b}`)
}

const gemm: Inference = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  const turned = (shape: Shape, name: string): Shape =>
    operation.int(name, 0) ? shape.toReversed() : shape
  const [rows = 1, inner] = turned(a.shape, 'transA')
  const [innerToo, columns = 1] = turned(b.shape, 'transB')
  agree(operation, inner, innerToo)
  return [{ type: a.type, shape: [rows, columns] }]
}

/** A vector counts as a row on the left and a column on the right; its axis is dropped again. */
const matMul: Inference = (operation) => {
  const [a, b] = [operation.input(0), operation.input(1)]
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  agree(operation, left.at(-1), right.at(-2))
  const batch = broadcast(operation, left.slice(0, -2), right.slice(0, -2))
  const rows = a.shape.length === 1 ? [] : left.slice(-2, -1)
  const columns = b.shape.length === 1 ? [] : right.slice(-1)
  return [{ type: a.type, shape: [...batch, ...rows, ...columns] }]
}

/** Matrix products. */
export const product: Readonly<Record<string, Inference>> = { Gemm: gemm, MatMul: matMul }
