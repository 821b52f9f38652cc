import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import { argmax, type TrainingEngine } from '../engine/engine.ts'
import { Divergence } from '../failure.ts'
import type { RankGroup } from '../rank-group.ts'

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

/** The figures of an image: index of the predicted class, its probability, the loss, and 1 if it is among five. */
const figuresPerImage = 4

/**
 * Evaluates the current weights on all validation images, of which each rank predicts its share of the batches.
 *
 * @param batch - images in each batch of the loader but the last.
 * @returns undefined if the signal aborts.
 * @throws {Divergence} If the loss is not finite: the logits are meaningless then.
 */
export async function evaluate(
  engine: Pick<TrainingEngine, 'predict'>,
  loader: Pick<Loader, 'validation'>,
  { classes, validation }: Pick<Dataset, 'classes' | 'validation'>,
  { batch, ranks }: { readonly batch: number; readonly ranks: RankGroup },
): Promise<Evaluation | undefined> {
  const { labels: truth } = validation
  const { rank, size, signal } = ranks
  const figures = new Float64Array(truth.length * figuresPerImage)
  await ranks.together(async () => {
    let first = rank * batch
    for await (const { images, labels } of loader.validation(rank, size)) {
      if (signal.aborted) return
      const logits = await engine.predict(images)
      for (const [row, label] of labels.entries())
        figures.set(figuresOf(logits, row, label, classes.length), (first + row) * figuresPerImage)
      first += size * batch
    }
  })
  if (signal.aborted) return undefined
  const all = await ranks.gather(figures)
  const predictions: Prediction[] = []
  let [loss, inTop5] = [0, 0]
  for (const [i, label] of truth.entries()) {
    // The rank that has predicted the batch of the image.
    const { [Math.floor(i / batch) % size]: own } = all
    const at = i * figuresPerImage
    predictions.push({ label, predicted: own[at], probability: own[at + 1] })
    loss += own[at + 2]
    inTop5 += own[at + 3]
  }
  const count = predictions.length
  if (!Number.isFinite(loss))
    throw new Divergence(`the validation loss must be finite, but is ${loss}`)
  const correct = predictions.filter(({ label, predicted }) => label === predicted).length
  return { loss: loss / count, top1: correct / count, top5: inTop5 / count, predictions }
}

/** See `figuresPerImage`. */
function figuresOf(
  logits: Float32Array,
  row: number,
  label: number,
  classes: number,
): readonly number[] {
  const sum = logSumExp(logits, row, classes)
  const predicted = argmax(logits, row, classes)
  const own = logits[row * classes + label]
  const larger = logits
    .subarray(row * classes, (row + 1) * classes)
    .reduce((count, logit) => count + Number(logit > own), 0)
  const probability = Math.exp(logits[row * classes + predicted] - sum)
  return [predicted, probability, sum - own, Number(larger < 5)]
}

/** ln Σ eˣ over a row, without overflow. */
function logSumExp(rows: Float32Array, row: number, columns: number): number {
  const logits = rows.subarray(row * columns, (row + 1) * columns)
  const max = Math.max(...logits)
  return max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - max), 0))
}
