import { expectClose } from '@diffgrad/testing/tolerance'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Model, Tensor as ModelTensor } from '../src/model/model.ts'
import { writeModel } from '../src/model/write.ts'

/** Creates a session of ONNX Runtime for a model. */
export const session = (model: Model, threads = 1): Promise<InferenceSession> =>
  InferenceSession.create(writeModel(model), { logSeverityLevel: 3, intraOpNumThreads: threads })

export const float = (data: Float32Array, shape: readonly number[]): Tensor =>
  new Tensor('float32', data, shape)

export const integers = (data: readonly number[], shape = [data.length]): Tensor =>
  new Tensor('int64', BigInt64Array.from(data, BigInt), shape)

/** Copies a weight to a tensor of the runtime. */
export const feedOf = ({ data, shape }: ModelTensor<'float32'>): Tensor =>
  float(data.slice(), shape)

/** Copies the initial values of parameters or statistics to feeds. */
export const feedsOf = (
  state: Iterable<readonly [string, { readonly initial: ModelTensor<'float32'> }]>,
): Record<string, Tensor> =>
  Object.fromEntries([...state].map(([name, { initial }]) => [name, feedOf(initial)]))

/** The elements of a float32 output. */
export function floats(results: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = results[name]?.data
  if (data instanceof Float32Array) return data
  throw new TypeError(`${name} must be float32`)
}

/** √Σx² */
export const norm = (x: ArrayLike<number>): number =>
  Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0))

/**
 * Throws unless every element is close to its counterpart: within `tolerance`, relative to the largest
 * magnitude of the expected tensor, as sums of large terms may cancel to small elements.
 */
export const expectTensorClose = (
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  name = 'tensor',
): void => {
  const absolute = tolerance * Math.max(...Array.from(expected, Math.abs))
  try {
    expectClose(actual, expected, { relative: tolerance, absolute })
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
