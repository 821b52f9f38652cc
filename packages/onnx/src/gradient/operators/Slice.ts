import { pad, reshape, reverse } from '../../graph/operations.ts'
import { sizes, type Value } from '../../graph/value.ts'
import { type Range, slicedRanges } from '../../shapes/parts.ts'
import { type Rule, unary } from '../rule.ts'

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
