import type { Operation } from '../../graph/operation.ts'
import { matMul, transpose } from '../../graph/operations.ts'
import { settled, sizes, type Value } from '../../graph/value.ts'
import { interpolation } from '../interpolation.ts'
import { type Rule, unary } from '../rule.ts'

/** y = A·x along every resized axis, A the weights of interpolation;  ∂x = Aᵀ·∂y along every one */
export const Resize: Rule = unary((x, dy, _y, operation) => {
  if (operation.int('antialias', 0) !== 0)
    throw operation.error('antialias must be 0 to be differentiated')
  const resized = sizes(dy)
  const scales = operation.inputs[3] ? undefined : resizedScales(operation)
  return sizes(x).reduce((value, size, axis) => {
    const length = resized[axis] ?? size
    if (length === size) return value
    const scale = scales?.[axis] ?? length / size
    const data = interpolation(operation, { size, resized: length, scale })
    return along(value, axis, dy.graph.constant({ type: 'float32', shape: [length, size], data }))
  }, dy)
})

/** The scales that the operation names, for every axis. */
function resizedScales(operation: Operation): readonly number[] {
  const given = settled(operation.input(2))
  const rank = operation.input(0).shape.length
  const axes = operation.ints('axes')?.map((axis) => operation.axis(axis, rank))
  return Array.from({ length: rank }, (_, axis) => given[axes ? axes.indexOf(axis) : axis] ?? 1)
}

/** Multiplies an axis by a matrix from the right. */
function along(value: Value, axis: number, matrix: Value): Value {
  const last = value.shape.length - 1
  const swapped = value.shape.map((_, i) => (i === axis ? last : i === last ? axis : i))
  return axis === last
    ? matMul(value, matrix)
    : transpose(matMul(transpose(value, swapped), matrix), swapped)
}
