import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Model, Tensor as Weights } from '../src/model/model.ts'
import { writeModel } from '../src/model/write.ts'

/** A model in ONNX Runtime. */
export const session = (model: Model): Promise<InferenceSession> =>
  InferenceSession.create(writeModel(model), { logSeverityLevel: 3, intraOpNumThreads: 2 })

/** Numbers as the runtime takes them. */
export const float = (data: Float32Array, shape: readonly number[]): Tensor =>
  new Tensor('float32', data, shape)

/** Indices as the runtime takes them. */
export const integers = (data: readonly number[], shape = [data.length]): Tensor =>
  new Tensor('int64', BigInt64Array.from(data, BigInt), shape)

/** A weight as the runtime takes it, in memory of its own. */
export const fed = ({ data, shape }: Weights<'float32'>): Tensor => float(data.slice(), shape)

/** The numbers of an output. */
export function floats(results: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = results[name]?.data
  if (data instanceof Float32Array) return data
  throw new TypeError(`${name} must be float32`)
}
