/** Two contenders' accuracies with the same seeds, in the same order. */
export interface PairedAccuracies {
  readonly first: readonly number[]
  readonly second: readonly number[]
}

/** Differences with a p-value below this are beyond the noise. */
export const significanceLevel = 0.05

/** How the noise is judged, as reports say it. */
export const testDescription =
  'A difference is beyond the noise if it is larger than both sources of it explain at the 5 % level: the seeds, by a paired two-sided t-test, and the sampling of the validation images, by a two-sided test of two proportions (Dietterich, Neural Computation 10, 1998). The larger p-value counts, corrected by Holm’s method for the number of contenders (Demšar, JMLR 7, 2006). With one seed only the images are tested.'

/**
 * The p-value of a difference between two contenders: the larger one of two tests, since both sources of
 * noise must be ruled out.
 *
 * @param images - number of validation images.
 */
export function differencePValue({ first, second }: PairedAccuracies, images: number): number {
  const seeds = first.length > 1 ? pairedTTest(first.map((x, i) => x - second[i])) : 0
  return Math.max(seeds, proportionsTest(meanOf(first), meanOf(second), images))
}

/**
 * Two-sided p-value of a t-test that the mean of paired differences is 0.
 *
 * @see Student, "The Probable Error of a Mean", Biometrika 6, 1908.
 */
export function pairedTTest(differences: readonly number[]): number {
  const degrees = differences.length - 1
  const mean = meanOf(differences)
  if (differences.every((difference) => difference === 0)) return 1
  const error = deviationOf(differences) / Math.sqrt(differences.length)
  return tailOfT(Math.abs(mean) / error, degrees)
}

/**
 * P(|T| > t) of Student's distribution, by its finite sums for integer degrees of freedom.
 *
 * @see Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
 */
export function tailOfT(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees))
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = degrees % 2 === 1
  let [term, sum] = isOdd ? [cos, degrees === 1 ? 0 : cos] : [1, 1]
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cos ** 2 * (k - 1)) / k
    sum += term
  }
  return 1 - (isOdd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum)
}

/**
 * Two-sided p-value of a z-test that two accuracies on as many images are equal. Both are measured on the
 * same images, which makes the difference less noisy than the test assumes: it errs towards no difference.
 */
function proportionsTest(first: number, second: number, images: number): number {
  if (first === second) return 1
  const pooled = (first + second) / 2
  const error = Math.sqrt((2 * pooled * (1 - pooled)) / images)
  return tailOfNormal(Math.abs(first - second) / error)
}

/** P(|Z| > z), with an error below 1.5e-7: Abramowitz and Stegun, 7.1.26. */
function tailOfNormal(z: number): number {
  const x = z / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const coefficients = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]
  return Math.exp(-(x ** 2)) * coefficients.reduceRight((sum, a) => (sum + a) * t, 0)
}

/**
 * Holm's correction of several p-values, in their order: each bounds the probability of any false one.
 *
 * @see Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 6, 1979.
 */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = [...pValues.keys()].toSorted((a, b) => pValues[a] - pValues[b])
  const corrected = [...pValues]
  let largest = 0
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min((pValues.length - rank) * pValues[i], 1))
    corrected[i] = largest
  }
  return corrected
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

/** Sample standard deviation (n − 1); NaN for one value. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}
