import type { Model } from '@diffgrad/onnx'
import type { Batch } from './batch.ts'
import type { Metric, Outputs } from './metrics.ts'
import { mustGive } from './model/outputs.ts'

/** What a batch was judged to be. */
export interface Judgement {
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
}

/** Judges batches by the metrics that were asked for. */
export class Judge {
  /** The outputs that the metrics read. */
  readonly outputs: readonly string[]
  readonly #metrics: readonly (readonly [string, Metric])[]

  /** @throws {TrainerError} Naming an output that a metric reads and the model has not. */
  constructor(model: Model, metrics: Readonly<Record<string, Metric>>) {
    const all = model.outputs.map(({ name }) => name)
    this.outputs = [...new Set(Object.values(metrics).flatMap(({ outputs = all }) => outputs))]
    this.#metrics = Object.entries(metrics)
    mustGive(model, this.outputs)
  }

  judge(loss: number, outputs: Outputs, batch: Batch): Judgement {
    const figures = this.#metrics.map(([name, metric]) => [name, metric.compute(outputs, batch)])
    return { loss, metrics: Object.fromEntries(figures) }
  }
}
