import type { Operation } from '../ir/operation.ts'
import { settled } from '../ir/value.ts'
import { elements } from '../model/data-type.ts'
import type { Tensor } from '../model/model.ts'
import type { Inference } from './inference.ts'

/** The tensor that a Constant holds, whichever attribute it holds it in. */
export function constantTensor(operation: Operation): Tensor {
  for (const [name, value] of operation.attributes) {
    if (typeof value === 'object' && 'tensor' in value) return value.tensor
    if (typeof value === 'object' && 'float' in value)
      return { type: 'float32', shape: [], data: Float32Array.of(value.float) }
    if (typeof value === 'object' && 'floats' in value)
      return {
        type: 'float32',
        shape: [value.floats.length],
        data: Float32Array.from(value.floats),
      }
    if (name === 'value_int' && typeof value === 'number')
      return { type: 'int64', shape: [], data: elements('int64', [value]) }
    if (name === 'value_ints' && typeof value === 'object' && 'length' in value)
      return { type: 'int64', shape: [value.length], data: elements('int64', value) }
  }
  throw operation.error('must hold a tensor, or numbers')
}

/** The element that a ConstantOfShape repeats: by default a float 0. */
export function repeatedElement(operation: Operation): Tensor {
  const value = operation.attributes.get('value')
  return typeof value === 'object' && 'tensor' in value
    ? value.tensor
    : { type: 'float32', shape: [1], data: new Float32Array(1) }
}

const constant: Inference = (operation) => {
  const { type, shape } = constantTensor(operation)
  return [{ type, shape }]
}

const constantOfShape: Inference = (operation) => [
  { type: repeatedElement(operation).type, shape: settled(operation.input(0)) },
]

/** The part of the shape that a Shape gives. */
export function shownAxes(operation: Operation): readonly [start: number, end: number] {
  const rank = operation.input(0).shape.length
  const place = (axis: number): number => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank)
  const start = place(operation.int('start', 0))
  return [start, Math.max(start, place(operation.int('end', rank)))]
}

const shape: Inference = (operation) => {
  const [start, end] = shownAxes(operation)
  return [{ type: 'int64', shape: [end - start] }]
}

const size: Inference = () => [{ type: 'int64', shape: [] }]

/** The numbers from a start up to a limit, a step apart. */
const range: Inference = (operation) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => settled(operation.input(i))[0])
  const length = Math.max(Math.ceil((limit - start) / delta), 0)
  if (!Number.isSafeInteger(length))
    throw operation.error(`from ${start} to ${limit} by ${delta} is no countable range`)
  return [{ type: operation.input(0).type, shape: [length] }]
}

/** Operators that make values of nothing but shapes and attributes. */
export const source: Readonly<Record<string, Inference>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shape,
  Size: size,
}
