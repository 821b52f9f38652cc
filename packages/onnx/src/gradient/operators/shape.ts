import { sizes, type Value } from '../../ir/value.ts'
import { elementCount } from '../../model/model.ts'
import {
  apply,
  concat,
  expand,
  filled,
  pad,
  reshape,
  reverse,
  slice,
  sumTo,
  transpose,
} from '../../ops/operations.ts'
import { padding } from '../../shapes/indexing.ts'
import { permutation } from '../../shapes/layout.ts'
import { type Range, slicedRanges } from '../../shapes/parts.ts'
import { type Rule, unary } from '../rule.ts'

/** y = x₁ … xₙ one after the other;  ∂xᵢ = the part of ∂y where xᵢ lies */
export const Concat: Rule = (operation, dy) => {
  const axis = operation.axis(operation.int('axis', 0), dy.shape.length)
  let end = 0
  return operation.inputs.map((_, i) => {
    const start = end
    end += sizes(operation.input(i))[axis] ?? 0
    return slice(dy, [{ axis, start, end }])
  })
}

/** y = x repeated along some axes;  ∂x = Σ∂y along them */
export const Expand: Rule = unary((x, dy) => sumTo(dy, x.shape))

/** y = the elements of x as a matrix;  ∂x = ∂y in the shape of x */
export const Flatten: Rule = unary((x, dy) => reshape(dy, sizes(x)))

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
  const rows = [elementCount(sizes(indices)), elementCount(rest)]
  const updates = reshape(transpose(dy, [...named, ...others]), rows)
  const places = expand(reshape(indices, [rows[0] ?? 1, 1]), rows)
  const zeros = filled(dy.graph, [shape[axis] ?? 1, elementCount(rest)])
  const sum = apply('ScatterElements', [zeros, places, updates], { axis: 0, reduction: 'add' })
  const front = reshape(sum, [shape[axis] ?? 1, ...rest])
  const back = shape.map((_, i) => (i === axis ? 0 : i < axis ? i + 1 : i))
  return transpose(front, back)
}

/** y = x with constants around it;  ∂x = ∂y without what lies around */
export const Pad: Rule = unary((_x, dy, _y, operation) => {
  const mode = operation.string('mode', 'constant')
  if (mode !== 'constant')
    throw operation.error(`mode must be "constant" to be differentiated, but is "${mode}"`)
  const amounts = padding(operation)
  return pad(
    dy,
    amounts.map(([begin]) => -begin),
    amounts.map(([, end]) => -end),
  )
})

/** y = the elements of x in another shape;  ∂x = ∂y in the shape of x */
export const Reshape: Rule = unary((x, dy) => reshape(dy, sizes(x)))

/** y = every step-th element of x from a start on;  ∂x = ∂y put back to its places, 0 elsewhere */
export const Slice: Rule = unary((x, dy, _y, operation) => {
  const shape = sizes(x)
  return slicedRanges(operation).reduce(
    (value, range) => putBack(value, range, shape[range.axis] ?? 0),
    dy,
  )
})

function putBack(value: Value, range: Range, size: number): Value {
  const { axis, length } = range
  const step = Math.abs(range.step)
  const first = range.step > 0 ? range.start : range.start + (length - 1) * range.step
  const forward = range.step > 0 ? value : reverse(value, axis)
  const spread = step === 1 ? forward : withGaps(forward, axis, step)
  const zeros = sizes(spread).map(() => 0)
  // The last gap may reach beyond the end, where padding by less than nothing takes it away.
  return pad(spread, zeros.with(axis, first), zeros.with(axis, size - first - length * step))
}

/** Puts step − 1 zeros behind every place of an axis. */
function withGaps(value: Value, axis: number, step: number): Value {
  const shape = sizes(value)
  const apart = reshape(value, shape.toSpliced(axis + 1, 0, 1))
  const zeros = [...shape, 1].map(() => 0)
  const filled = pad(apart, zeros, zeros.with(axis + 1, step - 1))
  return reshape(filled, shape.with(axis, (shape[axis] ?? 0) * step))
}

/** y₁ … yₙ = parts of x, one after the other;  ∂x = ∂y₁ … ∂yₙ, one after the other */
export const Split: Rule = (operation, dy, ...more) => [
  concat([dy, ...more], operation.axis(operation.int('axis', 0), dy.shape.length)),
]

/** y = x without some axes of length 1;  ∂x = ∂y in the shape of x */
export const Squeeze: Rule = unary((x, dy) => reshape(dy, sizes(x)))

/** y = x with its axes in another order;  ∂x = ∂y with its axes put back */
export const Transpose: Rule = unary((_x, dy, _y, operation) => {
  const order = permutation(operation)
  return transpose(
    dy,
    order.map((_, axis) => order.indexOf(axis)),
  )
})

/** y = x with more axes of length 1;  ∂x = ∂y in the shape of x */
export const Unsqueeze: Rule = unary((x, dy) => reshape(dy, sizes(x)))
