import { floatsOf, type Tensors } from '../runtime.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Weights of the runtime as a checkpoint has them: copied. */
export const savedOf = (weights: Tensors): Checkpoint['weights'] =>
  Object.fromEntries(
    Object.entries(weights).map(([name, { dims }]) => [
      name,
      { shape: dims, data: floatsOf(weights, name).slice() },
    ]),
  )

export const shapesOf = (weights: Tensors): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(Object.entries(weights).map(([name, { dims }]) => [name, dims]))
