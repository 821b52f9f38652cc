import sharp from 'sharp'
import type { Dataset } from '../data/dataset.ts'
import { confusionMatrix, mostConfused } from '../evaluation/confusion.ts'
import type { Evaluation } from '../evaluation/evaluate.ts'

/** How a checkpoint did on the validation pictures. */
export interface Judgement {
  /** Of the checkpoint, counted from 1. */
  readonly epoch: number
  readonly loss: number
  readonly top1: number
  readonly top5: number
  readonly classes: readonly string[]
  /** Pictures by class (row) and by what they were taken for (column). */
  readonly matrix: readonly (readonly number[])[]
  /** The pairs of classes that are confused most. */
  readonly confused: readonly ConfusedPair[]
}

/** Pictures of one class taken for another. */
export interface ConfusedPair {
  readonly actual: string
  readonly predicted: string
  readonly count: number
  /** The surest mistakes. */
  readonly examples: readonly Example[]
}

/** One picture. */
interface Example {
  readonly file: string
  /** Of the class that it was taken for. */
  readonly probability: number
  /** The picture itself, as a data: URL. */
  readonly thumbnail: string
}

/** How many pairs, and how many pictures of each, are kept. */
const kept = { pairs: 6, examples: 4 }

/** Sums an evaluation up. */
export async function judge(
  { loss, top1, top5, predictions }: Evaluation,
  dataset: Dataset,
  epoch: number,
): Promise<Judgement> {
  const { classes, validation } = dataset
  const confused = mostConfused(predictions, kept.pairs).map(
    async ({ actual, predicted, count, pictures }) => ({
      actual: classes[actual],
      predicted: classes[predicted],
      count,
      examples: await Promise.all(
        pictures.slice(0, kept.examples).map(async (picture) => ({
          file: validation.files[picture],
          probability: predictions[picture].probability,
          thumbnail: await thumbnailOf(dataset, picture),
        })),
      ),
    }),
  )
  const matrix = confusionMatrix(predictions, classes.length)
  return { epoch, loss, top1, top5, classes, matrix, confused: await Promise.all(confused) }
}

async function thumbnailOf({ validation }: Dataset, picture: number): Promise<string> {
  const { size } = validation
  const length = size * size * 3
  const pixels = validation.pixels.slice(picture * length, (picture + 1) * length)
  const raw = { width: size, height: size, channels: 3 } as const
  const jpeg = await sharp(pixels, { raw }).resize(96, 96).jpeg({ quality: 80 }).toBuffer()
  return `data:image/jpeg;base64,${jpeg.toString('base64')}`
}
