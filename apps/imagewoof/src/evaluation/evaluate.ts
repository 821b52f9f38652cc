import type { Loader } from '../data/batch.ts'
import { argmax, type TrainingEngine } from '../engine/engine.ts'
import { Divergence } from '../failure.ts'

/** The results on all validation images. */
export interface Evaluation {
  /** Mean cross-entropy of the true classes, in nats, without label smoothing. */
  readonly loss: number
  /** Share of the images whose class has the largest logit. */
  readonly top1: number
  /** Share of the images whose class is among the five largest logits. */
  readonly top5: number
  /** In the order of the split. */
  readonly predictions: readonly Prediction[]
}

/** The prediction for one image. */
export interface Prediction {
  /** Index of the true class. */
  readonly label: number
  /** Index of the class with the largest logit. */
  readonly predicted: number
  /** Probability of the predicted class. */
  readonly probability: number
}

/**
 * Evaluates the current weights on all validation images.
 *
 * @returns undefined if the signal aborts.
 * @throws {Divergence} If the loss is not finite: the logits are meaningless then.
 */
export async function evaluate(
  engine: Pick<TrainingEngine, 'predict'>,
  loader: Pick<Loader, 'validation'>,
  classes: number,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Evaluation | undefined> {
  const predictions: Prediction[] = []
  let [loss, inTop5] = [0, 0]
  for await (const { images, labels } of loader.validation()) {
    const logits = await engine.predict(images)
    for (const [row, label] of labels.entries()) {
      const sum = logSumExp(logits, row, classes)
      const predicted = argmax(logits, row, classes)
      const own = logits[row * classes + label]
      const larger = logits
        .subarray(row * classes, (row + 1) * classes)
        .reduce((count, logit) => count + Number(logit > own), 0)
      loss += sum - own
      inTop5 += Number(larger < 5)
      const probability = Math.exp(logits[row * classes + predicted] - sum)
      predictions.push({ label, predicted, probability })
    }
    if (signal?.aborted) return undefined
  }
  const count = predictions.length
  if (!Number.isFinite(loss))
    throw new Divergence(`the validation loss must be finite, but is ${loss}`)
  const correct = predictions.filter(({ label, predicted }) => label === predicted).length
  return { loss: loss / count, top1: correct / count, top5: inTop5 / count, predictions }
}

/** ln Σ eˣ over a row, without overflow. */
function logSumExp(rows: Float32Array, row: number, columns: number): number {
  const logits = rows.subarray(row * columns, (row + 1) * columns)
  const max = Math.max(...logits)
  return max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0))
}
