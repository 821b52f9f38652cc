import { axisSize } from '../../ir/value.ts'
import { type ShapeRule, sameShape } from './shape-rule.ts'

/** Training mode has two more outputs: the running mean and variance. */
const batchNormalization: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const running = { type, shape: operation.input(3).shape }
  return [{ type, shape }, running, running]
}

/** Two optional outputs: the mean and 1/σ of each row. */
const layerNormalization: ShapeRule = (operation) => {
  const { type, shape } = operation.input(0)
  const first = operation.axis(operation.int('axis', -1), shape.length)
  const rows = shape.map((size, axis) => (axis < first ? size : 1))
  return [
    { type, shape },
    { type, shape: rows },
    { type, shape: rows },
  ]
}

const groupNormalization: ShapeRule = (operation) => {
  const channels = axisSize(operation.input(0), 1)
  const groups = operation.int('num_groups', 0)
  if (groups < 1 || channels % groups !== 0)
    throw operation.error(`num_groups must be a divisor of ${channels}, but is ${groups}`)
  return sameShape(operation)
}

/** Shapes of normalizations and softmax. */
export const normalizationShapes: Readonly<Record<string, ShapeRule>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: sameShape,
  Hardmax: sameShape,
  LRN: sameShape,
  LogSoftmax: sameShape,
  LpNormalization: sameShape,
  MeanVarianceNormalization: sameShape,
  Softmax: sameShape,
}
