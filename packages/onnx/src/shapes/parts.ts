import type { Operation } from '../ir/operation.ts'
import { settled, sizeOf, sizes } from '../ir/value.ts'
import type { Dimension } from '../model/model.ts'
import type { Inference } from './inference.ts'

/** The part of one axis that a Slice takes: `length` places from `start` on, `step` apart. */
export interface Range {
  readonly axis: number
  readonly start: number
  readonly step: number
  readonly length: number
}

/** The parts that a Slice takes, for the axes that it cuts. */
export function slicedRanges(operation: Operation): readonly Range[] {
  const { shape } = operation.input(0)
  const starts = settled(operation.input(1))
  const ends = settled(operation.input(2))
  const axes = operation.inputs[3] ? settled(operation.inputs[3]) : starts.map((_, i) => i)
  const steps = operation.inputs[4] ? settled(operation.inputs[4]) : starts.map(() => 1)
  return axes.map((given, i) => {
    const axis = operation.axis(given, shape.length)
    const size = sizeOf(operation.input(0), axis)
    const step = steps[i] ?? 1
    if (step === 0) throw operation.error('a step must not be 0')
    const place = (at: number, low: number, high: number): number =>
      Math.min(Math.max(at < 0 ? at + size : at, low), high)
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
    const start = place(starts[i] ?? 0, Math.max(low, 0), high)
    const end = place(ends[i] ?? 0, low, high)
    return { axis, start, step, length: Math.max(0, Math.ceil((end - start) / step)) }
  })
}

const slice: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const lengths = new Map(slicedRanges(operation).map(({ axis, length }) => [axis, length]))
  return [{ type, shape: shape.map((size, axis) => lengths.get(axis) ?? size) }]
}

const concat: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const lengths = operation.inputs.map((_, i) => {
    const input = operation.input(i)
    const differs = (size: Dimension, at: number): boolean =>
      at !== axis && typeof size === 'number' && typeof shape[at] === 'number' && size !== shape[at]
    if (input.shape.length !== shape.length || input.shape.some(differs))
      throw operation.error(`[${shape}] and [${input.shape}] must be equal but for axis ${axis}`)
    return input.shape[axis] ?? 0
  })
  const sized = sizes({ name: operation.name, shape: lengths })
  return [
    {
      type,
      shape: shape.with(
        axis,
        sized.reduce((sum, size) => sum + size, 0),
      ),
    },
  ]
}

/** The lengths of the parts of a Split: as told, or equal with a shorter last one. */
function splitLengths(operation: Operation): readonly number[] {
  if (operation.inputs[1]) return settled(operation.inputs[1])
  const x = operation.input(0)
  const size = sizeOf(x, operation.axis(operation.int('axis', 0), x.shape.length))
  const parts = operation.int('num_outputs', 1)
  if (!(parts > 0 && parts <= size))
    throw operation.error(`num_outputs must be in [1, ${size}], but is ${parts}`)
  const length = Math.ceil(size / parts)
  return Array.from({ length: parts }, (_, i) => Math.min(length, size - i * length))
}

const split: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return splitLengths(operation).map((length) => ({ type, shape: shape.with(axis, length) }))
}

/** Operators that cut values into parts, and put them together again. */
export const parts: Readonly<Record<string, Inference>> = {
  Concat: concat,
  Slice: slice,
  Split: split,
}
