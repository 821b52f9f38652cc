import type { Model } from '@diffgrad/onnx'
import type { Tensor } from 'onnxruntime-common'
import type { Batch } from './batch.ts'
import { TrainerError } from './errors.ts'
import { isRecord } from './safetensors.ts'

/** An output of a model, row-major. */
export type Output = Pick<Tensor, 'data' | 'dims' | 'type'>

/** Outputs by name. */
export type Outputs = Readonly<Record<string, Output>>

/** A number computed from the outputs for a batch. */
export interface Metric {
  /** The outputs of the forward model that `compute` reads; by default all. */
  readonly outputs?: readonly string[]
  /** Computes the number. */
  compute(outputs: Outputs, batch: Batch): number
}

/** The loss of a batch, and its metrics by the names that they have in the trainer's options. */
export interface EvaluationResult {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

/** The metrics of a trainer. */
export class Metrics {
  /** The outputs that the metrics read. */
  readonly outputs: readonly string[]
  readonly names: readonly string[]
  readonly #metrics: readonly (readonly [string, Metric])[]

  /** @throws {TrainerError} Naming an output that a metric reads and the model lacks. */
  constructor(model: Model, metrics: Readonly<Record<string, Metric>>) {
    const all = model.outputs.map(({ name }) => name)
    this.outputs = [...new Set(Object.values(metrics).flatMap(({ outputs = all }) => outputs))]
    this.#metrics = Object.entries(metrics)
    this.names = Object.keys(metrics)
    const unknown = this.outputs.find((name) => !all.includes(name))
    if (unknown !== undefined)
      throw new TrainerError(`model: has no output "${unknown}"; it has ${all.join(', ')}`)
  }

  /** @throws What a metric throws. */
  compute(loss: number, outputs: Outputs, batch: Batch): EvaluationResult {
    const entries = this.#metrics.map(([name, metric]) => [name, metric.compute(outputs, batch)])
    return { loss, metrics: Object.fromEntries(entries) }
  }
}

/**
 * The share of examples, or of tokens, whose largest logit is that of the target class; of equal logits, the
 * first counts. `output` is float32 with the classes on its last axis, `target` holds the classes, of which
 * `ignoreIndex` does not count. NaN if none counts.
 */
export const accuracy = ({
  output = 'output',
  target = 'target',
  ignoreIndex,
}: {
  readonly output?: string
  readonly target?: string
  readonly ignoreIndex?: number
} = {}): Metric => ({
  outputs: [output],
  compute(outputs, batch) {
    const { data, dims } = outputs[output]
    const value = batch[target]
    const classes = dims.at(-1) ?? 0
    const labels = isRecord(value) && 'data' in value ? value.data : value
    const isClassified = data instanceof Float32Array && dims.length >= 2 && classes > 0
    if (!isClassified || labels === undefined || labels.length !== data.length / classes)
      throw new TrainerError(
        `accuracy: "${output}" must be float32 [examples, …, classes], and the batch must have a class in "${target}" for each`,
      )
    let [correct, counted] = [0, 0]
    for (let i = 0; i < labels.length; i++) {
      if (Number(labels[i]) === ignoreIndex) continue
      counted++
      const logits = data.subarray(i * classes, (i + 1) * classes)
      if (logits.indexOf(Math.max(...logits)) === Number(labels[i])) correct++
    }
    return correct / counted
  },
})
