import type { Prediction } from './evaluate.ts'

/** Two classes of which one is taken for the other. */
export interface Confused {
  readonly actual: number
  readonly predicted: number
  readonly count: number
  /** The pictures, by their places in the split, the surest first. */
  readonly pictures: readonly number[]
}

/** How many pictures of a class (row) were taken for a class (column). */
export function confusionMatrix(
  predictions: readonly Prediction[],
  classes: number,
): readonly (readonly number[])[] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (const { label, predicted } of predictions) matrix[label][predicted]++
  return matrix
}

/** The pairs of classes that are confused most, most confused first. */
export function mostConfused(predictions: readonly Prediction[], pairs: number): Confused[] {
  const found = new Map<string, { actual: number; predicted: number; pictures: number[] }>()
  for (const [i, { label, predicted }] of predictions.entries()) {
    if (label === predicted) continue
    const key = `${label} ${predicted}`
    const pair = found.get(key) ?? { actual: label, predicted, pictures: [] }
    found.set(key, pair)
    pair.pictures.push(i)
  }
  return [...found.values()]
    .toSorted((a, b) => b.pictures.length - a.pictures.length)
    .slice(0, pairs)
    .map(({ pictures, ...pair }) => ({
      ...pair,
      count: pictures.length,
      pictures: pictures.toSorted(
        (a, b) => predictions[b].probability - predictions[a].probability,
      ),
    }))
}
