import type { InferredType, Operation } from '../../ir/graph.ts'
import { constantElements } from '../../ir/value.ts'
import type { Dimension, Shape } from '../../model/model.ts'

/** Infers the types of all outputs of an operation, including optional ones. */
export type ShapeRule = (operation: Operation) => readonly InferredType[]

/** The output has the type and shape of the first input. */
export const sameShape: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape }]
}

/**
 * The elements of a constant input of integers, such as axes or the shape of a Reshape.
 *
 * @throws {OnnxError} If it is absent, not constant, or holds another number.
 */
export function integerElements(operation: Operation, index: number): readonly number[] {
  const all = constantElements(operation.input(index))
  const wrong = all.find((element) => !Number.isInteger(element))
  if (wrong !== undefined)
    throw operation.error(`input ${index} must hold integers, but holds ${wrong}`)
  return all
}

/** More axes than any runtime supports. */
const maxAxes = 64

/** The elements of a constant input with one integer per axis: a shape, repeats, amounts. */
export function shapeInput(operation: Operation, index: number): readonly number[] {
  const length = operation.input(index).constant?.data.length ?? 0
  if (length > 2 * maxAxes)
    throw operation.error(
      `input ${index} must have an element for each of at most ${maxAxes} axes, but has ${length}`,
    )
  return integerElements(operation, index)
}

/** The axes that a Pad, Resize or CenterCropPad names; all by default. */
export const namedAxes = (
  operation: Operation,
  axes: readonly number[] | undefined,
): readonly number[] => {
  const rank = operation.input(0).shape.length
  return axes
    ? axes.map((axis) => operation.axis(axis, rank))
    : Array.from({ length: rank }, (_, axis) => axis)
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
