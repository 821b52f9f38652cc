import type { Operation } from '../graph/operation.ts'
import { settled, sizes } from '../graph/value.ts'
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
    const size =
      sizes({ name: operation.input(0).name, shape: shape.slice(axis, axis + 1) })[0] ?? 0
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
  const { name, shape } = operation.input(0)
  if (operation.inputs[1]) return settled(operation.inputs[1])
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const [size = 0] = sizes({ name, shape: shape.slice(axis, axis + 1) })
  const parts = operation.int('num_outputs', 1)
  const length = Math.ceil(size / parts)
  return Array.from({ length: parts }, (_, i) => Math.min(length, size - i * length))
}

const split: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return splitLengths(operation).map((length) => ({ type, shape: shape.with(axis, length) }))
}

const gather: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  return [{ type, shape: shape.toSpliced(axis, 1, ...operation.input(1).shape) }]
}

const likeIndices: Inference = (operation) => [
  { type: operation.input(0).type, shape: operation.input(1).shape },
]

const scatter: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape }]
}

/** The axes that a Pad or Resize names, or all. */
const namedAxes = (
  operation: Operation,
  axes: readonly number[] | undefined,
): readonly number[] => {
  const rank = operation.input(0).shape.length
  return axes
    ? axes.map((axis) => operation.axis(axis, rank))
    : Array.from({ length: rank }, (_, axis) => axis)
}

/** How many elements a Pad adds before and after every axis. */
export function padding(operation: Operation): readonly (readonly [begin: number, end: number])[] {
  const amounts = settled(operation.input(1))
  const axes = namedAxes(operation, operation.inputs[3] && settled(operation.inputs[3]))
  return operation.input(0).shape.map((_, axis) => {
    const place = axes.indexOf(axis)
    return place < 0 ? [0, 0] : [amounts[place] ?? 0, amounts[place + axes.length] ?? 0]
  })
}

const pad: Inference = (operation) => {
  const { type, name, shape } = operation.input(0)
  const padded = padding(operation).map(([begin, end], axis) => {
    const size = shape[axis] ?? 0
    if (begin === 0 && end === 0) return size
    return begin + end + (sizes({ name, shape: [size] })[0] ?? 0)
  })
  return [{ type, shape: padded }]
}

const resize: Inference = (operation) => {
  const { type, name, shape } = operation.input(0)
  if (operation.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw operation.error('keep_aspect_ratio_policy must be "stretch"')
  const axes = namedAxes(operation, operation.ints('axes'))
  const wanted = operation.inputs[3] && settled(operation.inputs[3])
  const scales = wanted ? [] : settled(operation.input(2))
  const resized = axes.map((axis, i) => {
    const size = shape[axis] ?? 0
    if (wanted) return wanted[i] ?? size
    const scale = scales[i] ?? 1
    return scale === 1 ? size : Math.floor((sizes({ name, shape: [size] })[0] ?? 0) * scale)
  })
  return [{ type, shape: shape.map((size, axis) => resized[axes.indexOf(axis)] ?? size) }]
}

const oneHot: Inference = (operation) => {
  const { shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', -1), shape.length + 1)
  const [depth = 0] = settled(operation.input(1))
  return [{ type: operation.input(2).type, shape: shape.toSpliced(axis, 0, depth) }]
}

/** Operators that pick elements, or put them somewhere. */
export const indexing: Readonly<Record<string, Inference>> = {
  Concat: concat,
  CumSum: scatter,
  Gather: gather,
  GatherElements: likeIndices,
  OneHot: oneHot,
  Pad: pad,
  Resize: resize,
  ScatterElements: scatter,
  ScatterND: scatter,
  Slice: slice,
  Split: split,
}
