import type { Operation } from '../ir/operation.ts'
import { settled, sizeOf } from '../ir/value.ts'
import type { Inference } from './inference.ts'

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
    return begin + end + sizeOf({ name, shape }, axis)
  })
  return [{ type, shape: padded }]
}

const resize: Inference = (operation) => {
  const { type, name, shape } = operation.input(0)
  if (operation.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw operation.error('keep_aspect_ratio_policy must be "stretch"')
  const axes = namedAxes(operation, operation.ints('axes'))
  const wanted = operation.inputs[3] && settled(operation.inputs[3])
  const scales = wanted ? [] : settled(operation.input(2))
  const resized = axes.map((axis, i) => {
    const size = shape[axis] ?? 0
    if (wanted) return wanted[i] ?? size
    const scale = scales[i] ?? 1
    return scale === 1 ? size : Math.floor(sizeOf({ name, shape }, axis) * scale)
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
  CumSum: scatter,
  Gather: gather,
  GatherElements: likeIndices,
  OneHot: oneHot,
  Pad: pad,
  Resize: resize,
  ScatterElements: scatter,
  ScatterND: scatter,
}
