import type { Operation } from '../../ir/graph.ts'
import { constantElements } from '../../ir/value.ts'
import { elements } from '../../model/data-type.ts'
import type { Tensor } from '../../model/model.ts'
import { type ShapeRule, shapeInput } from './shape-rule.ts'

/** The tensor of a Constant, from any of its attributes. */
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
  throw operation.error('must have a tensor or numbers as its value')
}

/** The fill value of a ConstantOfShape: float32 0 by default. */
export function fillValue(operation: Operation): Tensor {
  const value = operation.attributes.get('value')
  if (value === undefined) return { type: 'float32', shape: [1], data: new Float32Array(1) }
  if (typeof value !== 'object' || !('tensor' in value) || value.tensor.data.length !== 1)
    throw operation.error('attribute "value" must be a tensor of one element')
  return value.tensor
}

const constant: ShapeRule = (operation) => {
  const { type, shape } = constantTensor(operation)
  return [{ type, shape }]
}

const constantOfShape: ShapeRule = (operation) => [
  { type: fillValue(operation).type, shape: shapeInput(operation, 0) },
]

/** The axes whose lengths a Shape returns: from `start` to before `end`. */
export function shapeAxes(operation: Operation): readonly [start: number, end: number] {
  const rank = operation.input(0).shape.length
  const clamp = (axis: number): number => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank)
  const start = clamp(operation.int('start', 0))
  return [start, Math.max(start, clamp(operation.int('end', rank)))]
}

const shape: ShapeRule = (operation) => {
  const [start, end] = shapeAxes(operation)
  return [{ type: 'int64', shape: [end - start] }]
}

const size: ShapeRule = () => [{ type: 'int64', shape: [] }]

/** Numbers from a start to before a limit, a step apart. */
const range: ShapeRule = (operation) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map(
    (i) => constantElements(operation.input(i))[0],
  )
  const length = Math.max(Math.ceil((limit - start) / delta), 0)
  if (!Number.isSafeInteger(length))
    throw operation.error(`from ${start} to ${limit} by ${delta} must be a finite range`)
  return [{ type: operation.input(0).type, shape: [length] }]
}

/** Of a constant, one column of indices for every element that is not 0; else nobody knows how many. */
const nonZero: ShapeRule = (operation) => {
  const { name, shape, constant } = operation.input(0)
  const count = constant && Array.from(constant.data, Number).filter((x) => x !== 0).length
  return [{ type: 'int64', shape: [shape.length, count ?? `${name}: elements that are not 0`] }]
}

/** Shapes of operators that depend on attributes, shapes and constants only. */
export const constantShapes: Readonly<Record<string, ShapeRule>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  NonZero: nonZero,
  Range: range,
  Shape: shape,
  Size: size,
}
