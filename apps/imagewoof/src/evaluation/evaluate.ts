import type { Loader } from '../data/batch.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { argmax } from '../engine/engine.ts'
import { Divergence } from '../failure.ts'
import { logSumExp } from './softmax.ts'

/** What a network makes of the validation pictures. */
export interface Evaluation {
  /** Mean cross-entropy of the true classes, in nats, without smoothing. */
  readonly loss: number
  /** Share of the pictures whose class has the largest logit. */
  readonly top1: number
  /** Share of the pictures whose class is among the five largest logits. */
  readonly top5: number
  /** In the order of the split. */
  readonly predictions: readonly Prediction[]
}

/** What a network makes of one picture. */
export interface Prediction {
  readonly label: number
  readonly predicted: number
  /** Of the predicted class. */
  readonly probability: number
}

/**
 * Judges the network as it is on all validation pictures, or undefined if the signal aborts.
 *
 * @throws {Divergence} If the loss is not finite: then the logits tell nothing.
 */
export async function evaluate(
  engine: Pick<TrainingEngine, 'predict'>,
  loader: Pick<Loader, 'validation'>,
  classes: number,
  {
    signal,
    tick,
  }: { readonly signal?: AbortSignal; readonly tick?: (pictures: number) => void } = {},
): Promise<Evaluation | undefined> {
  const predictions: Prediction[] = []
  let [loss, among5] = [0, 0]
  for await (const { images, labels } of loader.validation()) {
    const logits = await engine.predict(images)
    for (const [row, label] of labels.entries()) {
      const sum = logSumExp(logits, row, classes)
      const [predicted, own] = [argmax(logits, row, classes), logits[row * classes + label]]
      const above = logits
        .subarray(row * classes, (row + 1) * classes)
        .reduce((count, logit) => count + Number(logit > own), 0)
      loss += sum - own
      among5 += Number(above < 5)
      const probability = Math.exp(logits[row * classes + predicted] - sum)
      predictions.push({ label, predicted, probability })
    }
    tick?.(labels.length)
    // The runtime holds the thread: let signals through.
    await new Promise(setImmediate)
    if (signal?.aborted) return undefined
  }
  const count = predictions.length
  if (!Number.isFinite(loss))
    throw new Divergence(`the validation loss must be finite, but is ${loss}`)
  const right = predictions.filter(({ label, predicted }) => label === predicted).length
  return { loss: loss / count, top1: right / count, top5: among5 / count, predictions }
}
