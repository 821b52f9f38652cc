import type { Operation } from '../ir/operation.ts'
import { settled } from '../ir/value.ts'
import type { Inference } from './inference.ts'

/** The axes that a reduction runs over: its second input; without it all, or none where it says so. */
export function reducedAxes(operation: Operation): readonly number[] {
  const { shape } = operation.input(0)
  const given = operation.inputs[1]
  const axes = given ? settled(given) : []
  if (axes.length > 0) return axes.map((axis) => operation.axis(axis, shape.length))
  return operation.int('noop_with_empty_axes', 0) ? [] : shape.map((_, axis) => axis)
}

const reduce: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const axes = new Set(reducedAxes(operation))
  const keep = operation.int('keepdims', 1)
  return [
    {
      type,
      shape: keep
        ? shape.map((size, axis) => (axes.has(axis) ? 1 : size))
        : shape.filter((_, axis) => !axes.has(axis)),
    },
  ]
}

const argument: Inference = (operation) => {
  const { shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const rest = operation.int('keepdims', 1) ? [1] : []
  return [{ type: 'int64', shape: shape.toSpliced(axis, 1, ...rest) }]
}

/** Operators that make one element of many. */
export const reduction: Readonly<Record<string, Inference>> = {
  ArgMax: argument,
  ArgMin: argument,
  ReduceL2: reduce,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: reduce,
  ReduceSumSquare: reduce,
}
