import sharp from 'sharp'
import type { Dataset } from '../data/dataset.ts'
import type { Evaluation, Prediction } from './evaluate.ts'

/** The evaluation of a checkpoint, as evaluation.json stores it. */
export interface EvaluationSummary {
  /** Epoch of the checkpoint, counted from 1. */
  readonly epoch: number
  readonly loss: number
  readonly top1: number
  readonly top5: number
  readonly classes: readonly string[]
  /** Confusion matrix: number of images by true class (row) and predicted class (column). */
  readonly matrix: readonly (readonly number[])[]
  /** The most confused pairs of classes, in descending order. */
  readonly confused: readonly ConfusedPair[]
}

/** Images of one class that are classified as another. */
export interface ConfusedPair {
  readonly actual: string
  readonly predicted: string
  readonly count: number
  /** The errors with the highest probability, in descending order. */
  readonly examples: readonly Misclassified[]
}

interface Misclassified {
  readonly file: string
  /** Probability of the predicted class. */
  readonly probability: number
  /** The image as a data: URL. */
  readonly thumbnail: string
}

const maxPairs = 6
const maxExamples = 4

/** Summarizes an evaluation of the weights after `epoch`. */
export async function summarizeEvaluation(
  { loss, top1, top5, predictions }: Evaluation,
  dataset: Dataset,
  epoch: number,
): Promise<EvaluationSummary> {
  const { classes, validation } = dataset
  const confused = mostConfused(predictions, maxPairs).map(
    async ({ actual, predicted, images }) => ({
      actual: classes[actual],
      predicted: classes[predicted],
      count: images.length,
      examples: await Promise.all(
        images.slice(0, maxExamples).map(async (image) => ({
          file: validation.files[image],
          probability: predictions[image].probability,
          thumbnail: await thumbnailOf(dataset, image),
        })),
      ),
    }),
  )
  const matrix = confusionMatrix(predictions, classes.length)
  return { epoch, loss, top1, top5, classes, matrix, confused: await Promise.all(confused) }
}

/** Number of images by true class (row) and predicted class (column). */
export function confusionMatrix(
  predictions: readonly Prediction[],
  classes: number,
): readonly (readonly number[])[] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const { label, predicted } of predictions) matrix[label][predicted]++
  return matrix
}

interface ConfusedClasses {
  readonly actual: number
  readonly predicted: number
  /** Indices into the split, by descending probability of the predicted class. */
  readonly images: readonly number[]
}

/** The most confused pairs of classes, in descending order of their images. */
function mostConfused(
  predictions: readonly Prediction[],
  pairs: number,
): readonly ConfusedClasses[] {
  const confused = new Map<string, { actual: number; predicted: number; images: number[] }>()
  for (const [i, { label, predicted }] of predictions.entries()) {
    if (label === predicted) continue
    const key = `${label} ${predicted}`
    const pair = confused.get(key) ?? { actual: label, predicted, images: [] }
    confused.set(key, pair)
    pair.images.push(i)
  }
  return [...confused.values()]
    .toSorted((a, b) => b.images.length - a.images.length)
    .slice(0, pairs)
    .map(({ images, ...pair }) => ({
      ...pair,
      images: images.toSorted((a, b) => predictions[b].probability - predictions[a].probability),
    }))
}

async function thumbnailOf({ validation }: Dataset, image: number): Promise<string> {
  const { size } = validation
  const length = size * size * 3
  const pixels = validation.pixels.slice(image * length, (image + 1) * length)
  const raw = { width: size, height: size, channels: 3 } as const
  const jpeg = await sharp(pixels, { raw }).resize(96, 96).jpeg({ quality: 80 }).toBuffer()
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`
}
