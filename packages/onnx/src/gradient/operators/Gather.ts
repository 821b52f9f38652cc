import { apply, expand, filled, pad, reshape, transpose } from '../../graph/operations.ts'
import { sizes, type Value } from '../../graph/value.ts'
import { count } from '../../model/model.ts'
import type { Rule } from '../rule.ts'

/** y = the places of x that the indices name;  every ∂y is added to ∂x at the place it came from */
export const Gather: Rule = (operation, dy) => {
  const [x, indices] = [operation.input(0), operation.input(1)]
  const shape = sizes(x)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const only = indices.known?.data.length === 1 ? Number(indices.known.data[0]) : undefined
  return [only === undefined ? addRows(dy, indices, shape, axis) : putAt(dy, only, shape, axis)]
}

/** One place alone: zeros before and after it. */
function putAt(dy: Value, index: number, shape: readonly number[], axis: number): Value {
  const size = shape[axis] ?? 1
  const place = index < 0 ? index + size : index
  const zeros = shape.map(() => 0)
  return pad(
    reshape(dy, shape.with(axis, 1)),
    zeros.with(axis, place),
    zeros.with(axis, size - place - 1),
  )
}

/** The gathered axis is brought to the front, so that every index names a row. */
function addRows(dy: Value, indices: Value, shape: readonly number[], axis: number): Value {
  const rest = shape.toSpliced(axis, 1)
  const named = dy.shape.map((_, i) => i).slice(axis, axis + indices.shape.length)
  const others = dy.shape.map((_, i) => i).filter((i) => !named.includes(i))
  const rows = [count(sizes(indices)), count(rest)]
  const updates = reshape(transpose(dy, [...named, ...others]), rows)
  const places = expand(reshape(indices, [rows[0] ?? 1, 1]), rows)
  const zeros = filled(dy.graph, [shape[axis] ?? 1, count(rest)])
  const sum = apply('ScatterElements', [zeros, places, updates], { axis: 0, reduction: 'add' })
  const front = reshape(sum, [shape[axis] ?? 1, ...rest])
  const back = shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
  return transpose(front, back)
}
