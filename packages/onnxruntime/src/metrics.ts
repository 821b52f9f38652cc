import type { Tensor } from 'onnxruntime-common'
import type { Batch } from './batch.ts'
import { TrainerError } from './error.ts'

/** An output, row-major. */
export type Output = Pick<Tensor, 'data' | 'dims' | 'type'>

/** Outputs by name. */
export type Outputs = Readonly<Record<string, Output>>

/** A figure of merit of the outputs for a batch. */
export interface Metric {
  /** The forward model's outputs that it reads; without it, all. */
  readonly outputs?: readonly string[]
  /** Computes it. */
  compute(outputs: Outputs, batch: Batch): number
}

/** The share of examples whose class has the largest logit, on axis 1 of two. */
export const accuracy = ({
  output = 'output',
  target = 'target',
}: {
  readonly output?: string
  readonly target?: string
} = {}): Metric => ({
  outputs: [output],
  compute(outputs, batch) {
    const { data, dims } = outputs[output]
    const value = batch[target]
    if (!(data instanceof Float32Array) || dims.length !== 2 || value === undefined)
      throw new TrainerError(
        `accuracy: "${output}" must be float32 [examples, classes], and the batch must have "${target}"`,
      )
    const labels = 'data' in value ? value.data : value
    const [examples, classes] = dims
    let right = 0
    for (let i = 0; i < examples; i++) {
      const logits = data.subarray(i * classes, (i + 1) * classes)
      if (logits.indexOf(Math.max(...logits)) === Number(labels[i])) right++
    }
    return right / examples
  },
})
