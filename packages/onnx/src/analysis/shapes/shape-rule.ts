import type { InferredType, Operation } from '../../ir/graph.ts'
import type { Dimension, Shape } from '../../model/model.ts'

/** Infers the types of all outputs of an operation, including optional ones. */
export type ShapeRule = (operation: Operation) => readonly InferredType[]

/** The output has the type and shape of the first input. */
export const sameShape: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape }]
}

/** Broadcasts two shapes: aligned at the last axis, lengths equal or one of them 1. */
export function broadcast(operation: Operation, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  const at = (shape: Shape, axis: number): Dimension => shape[axis - rank + shape.length] ?? 1
  return Array.from({ length: rank }, (_, axis) => {
    const [p, q] = [at(a, axis), at(b, axis)]
    if (p === q || q === 1) return p
    if (p === 1 || typeof p === 'string') return q
    if (typeof q === 'string') return p
    throw operation.error(`shapes [${a}] and [${b}] must broadcast, but do not`)
  })
}
