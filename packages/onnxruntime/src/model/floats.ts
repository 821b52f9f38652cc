import type { Tensor } from '@diffgrad/onnx'
import { TrainerError } from '../error.ts'

/** The elements of a weight. Weights that are trained are 32-bit floats. */
export function floatsIn({ data, type }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data
  throw new TrainerError(`model: weights must be float32, but one is ${type}`)
}
