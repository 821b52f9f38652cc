import { type Inference, same } from './inference.ts'

/** Training gives the running mean and variance beside the output. */
const batchNormalization: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const running = { type, shape: operation.input(3).shape }
  return [{ type, shape }, running, running]
}

/** Beside the output, the mean and 1/σ that each row was normalized with are offered. */
const layerNormalization: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const first = operation.axis(operation.int('axis', -1), shape.length)
  const rows = shape.map((size, axis) => (axis < first ? size : 1))
  return [
    { type, shape },
    { type, shape: rows },
    { type, shape: rows },
  ]
}

/** Operators that bring values to mean zero and variance one. */
export const normalization: Readonly<Record<string, Inference>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  GroupNormalization: same,
  InstanceNormalization: same,
}
