import type { Operation } from '../../ir/graph.ts'
import { type ShapeRule, shapeInput } from './shape-rule.ts'

/** The axes of a reduction: its second input; else all axes, or none if `noop_with_empty_axes` is set. */
export function reducedAxes(operation: Operation): readonly number[] {
  const { shape } = operation.input(0)
  const input = operation.inputs[1]
  const axes = input ? shapeInput(operation, 1) : []
  if (axes.length > 0) return axes.map((axis) => operation.axis(axis, shape.length))
  return operation.int('noop_with_empty_axes', 0) ? [] : shape.map((_, axis) => axis)
}

const reduce: ShapeRule = (operation) => {
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

const argExtremum: ShapeRule = (operation) => {
  const { shape } = operation.input(0)
  const axis = operation.axis(operation.int('axis', 0), shape.length)
  const rest = operation.int('keepdims', 1) ? [1] : []
  return [{ type: 'int64', shape: shape.toSpliced(axis, 1, ...rest) }]
}

/** A loss of scores with classes on axis 1, and of SoftmaxCrossEntropyLoss their log-probabilities. */
const classLoss: ShapeRule = (operation) => {
  const [scores, target] = [operation.input(0), operation.input(1)]
  const { type, shape } = scores
  const expected = shape.toSpliced(1, 1)
  if (shape.length < 2 || `${target.shape}` !== `${expected}`)
    throw operation.error(
      `the targets of scores [${shape}] must have the shape [${expected}], but have [${target.shape}]`,
    )
  const reduction = operation.string('reduction', 'mean')
  if (!['none', 'mean', 'sum'].includes(reduction))
    throw operation.error(`reduction must be "none", "mean" or "sum", but is "${reduction}"`)
  return [
    { type, shape: reduction === 'none' ? target.shape : [] },
    ...(operation.operator === 'SoftmaxCrossEntropyLoss' ? [{ type, shape }] : []),
  ]
}

/** Shapes of reductions. */
export const reductionShapes: Readonly<Record<string, ShapeRule>> = {
  ArgMax: argExtremum,
  ArgMin: argExtremum,
  NegativeLogLikelihoodLoss: classLoss,
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: reduce,
  ReduceSumSquare: reduce,
  SoftmaxCrossEntropyLoss: classLoss,
}
