/** How well one class is recognized. A ratio without a denominator is undefined. */
export interface ClassMetrics {
  readonly name: string
  /** Number of validation images of the class. */
  readonly support: number
  /** Share of the images classified as this class that are of it. */
  readonly precision: number | undefined
  /** Share of the images of this class that are classified as it: the accuracy of the class. */
  readonly recall: number | undefined
  /** Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). */
  readonly f1: number | undefined
}

const ratio = (part: number, whole: number): number | undefined =>
  whole === 0 ? undefined : part / whole

/**
 * The metrics of each class, in the order of the matrix.
 *
 * @param matrix - number of images by true class (row) and predicted class (column).
 */
export function classMetrics(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
): readonly ClassMetrics[] {
  const predicted = classes.map((_, column) => matrix.reduce((sum, row) => sum + row[column], 0))
  return classes.map((name, i) => {
    const support = matrix[i].reduce((a, b) => a + b, 0)
    const correct = matrix[i][i]
    return {
      name,
      support,
      precision: ratio(correct, predicted[i]),
      recall: ratio(correct, support),
      f1: ratio(2 * correct, support + predicted[i]),
    }
  })
}

/** The mean recall of the classes that have images, so that each counts the same however many it has. */
export function balancedAccuracy(metrics: readonly ClassMetrics[]): number {
  const recalls = metrics.flatMap(({ recall }) => recall ?? [])
  return recalls.reduce((a, b) => a + b, 0) / recalls.length
}

/** Standard normal quantile of a two-sided 95 % interval. */
const z = 1.959964

/**
 * The 95 % interval of an accuracy, from the sampling error of the images that it was measured on.
 *
 * @param accuracy - share of `images` that are right.
 * @see Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
 */
export function accuracyInterval(
  accuracy: number,
  images: number,
): readonly [low: number, high: number] {
  const scale = 1 + z ** 2 / images
  const centre = (accuracy + z ** 2 / (2 * images)) / scale
  const radius =
    (z / scale) * Math.sqrt((accuracy * (1 - accuracy)) / images + (z / (2 * images)) ** 2)
  return [Math.max(centre - radius, 0), Math.min(centre + radius, 1)]
}
