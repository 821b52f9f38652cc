import type { Operation } from '../ir/operation.ts'
import type { Inferred } from '../ir/value.ts'
import type { Dimension, Shape } from '../model/model.ts'

/** Tells what an operation's outputs will be, optional ones included. */
export type Inference = (operation: Operation) => readonly Inferred[]

/** The output is like the first input. */
export const same: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape }]
}

/** The shape that two shapes give together: aligned at the end, lengths equal or one of them 1. */
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
