import type { Operation } from '../ir/operation.ts'
import type { Inference } from './inference.ts'
import { slide, type Window, windowOf } from './window.ts'

/** The window of a pooling operation: its kernel is an attribute. */
export const poolingWindow = (operation: Operation): Window =>
  windowOf(operation, operation.ints('kernel_shape') ?? [])

/** The lengths of a pooling operation's result, batch and channels left out. */
export const pooledSizes = (operation: Operation, window: Window): readonly number[] =>
  slide(operation, window, operation.int('ceil_mode', 0) ? 'up' : 'down')

/** The second output, the place of each maximum, is offered by MaxPool only. */
const pool: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  const pooled = [...shape.slice(0, 2), ...pooledSizes(operation, poolingWindow(operation))]
  return [
    { type, shape: pooled },
    ...(operation.operator === 'MaxPool' ? [{ type: 'int64', shape: pooled } as const] : []),
  ]
}

const globalPool: Inference = (operation) => {
  const { type, shape } = operation.input(0)
  return [{ type, shape: shape.map((size, axis) => (axis < 2 ? size : 1)) }]
}

/** Pooling over a sliding window, or over the whole image. */
export const pooling: Readonly<Record<string, Inference>> = {
  AveragePool: pool,
  MaxPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
}
