import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

export type Interval = readonly [low: number, high: number]

/** Differences with a p-value below this are beyond the noise; intervals have a level of 1 minus this. */
export const significanceLevel = 0.05

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
 * The interval of the mean of normally distributed values: it excludes 0 exactly if `pairedTTest` is below
 * `alpha`.
 *
 * @param values - at least two.
 * @param alpha - probability that the interval does not hold the mean, in (0, 1).
 */
export function meanInterval(values: readonly number[], alpha: number): Interval {
  const error = deviationOf(values) / Math.sqrt(values.length)
  const radius = quantileOfT(alpha, values.length - 1) * error
  const mean = meanOf(values)
  return [mean - radius, mean + radius]
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

/** The t with P(|T| > t) = `tail`, by bisection of atan(t / √degrees). */
export function quantileOfT(tail: number, degrees: number): number {
  const atAngle = (angle: number): number => Math.sqrt(degrees) * Math.tan(angle)
  let [low, high] = [0, Math.PI / 2]
  for (let i = 0; i < 53; i++) {
    const middle = (low + high) / 2
    if (tailOfT(atAngle(middle), degrees) > tail) low = middle
    else high = middle
  }
  return atAngle((low + high) / 2)
}

/**
 * Two-sided p-value of a z-test that two accuracies on as many images are equal. Both are measured on the
 * same images, which makes the difference less noisy than the test assumes: it errs towards no difference.
 *
 * @see Dietterich, "Approximate Statistical Tests for Comparing Supervised Classification Learning
 * Algorithms", Neural Computation 10, 1998.
 */
export function proportionsTest(first: number, second: number, images: number): number {
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

/** The noise of runs that differ only in their seed. */
export interface NoiseFloor {
  /** Standard deviation of one run, pooled over groups. */
  readonly deviation: number
  readonly degrees: number
  /** The difference of two runs that is exceeded with a probability of `significanceLevel`. */
  readonly difference: number
}

/**
 * Pools the deviations of groups of runs, in each of which only the seed differs. The difference of two
 * further runs has a deviation of √2 times that of one.
 *
 * @returns undefined without a group of two runs.
 */
export function noiseFloor(groups: readonly (readonly number[])[]): NoiseFloor | undefined {
  const repeated = groups.filter((group) => group.length > 1)
  const degrees = repeated.reduce((sum, group) => sum + group.length - 1, 0)
  if (degrees === 0) return undefined
  const squares = repeated.reduce(
    (sum, group) => sum + (group.length - 1) * deviationOf(group) ** 2,
    0,
  )
  const deviation = Math.sqrt(squares / degrees)
  const difference = Math.SQRT2 * deviation * quantileOfT(significanceLevel, degrees)
  return { deviation, degrees, difference }
}

/** Splits of one group of runs in two, and how many of their intervals hold 0. */
export interface SplitCoverage {
  readonly splits: number
  readonly covered: number
}

const splitsPerGroup = 2000

/**
 * Compares runs that differ only in their seed as if they were of two contenders (an A/A test): shuffles
 * each group, pairs its runs, and counts the intervals of the mean difference that hold 0, the truth.
 *
 * @returns undefined without a group of four runs.
 * @see Kohavi et al., "Trustworthy Online Controlled Experiments", 2020, chapter 19.
 */
export function splitCoverage(groups: readonly (readonly number[])[]): SplitCoverage | undefined {
  const divisible = groups.filter((group) => group.length >= 4)
  const generator = xoroshiro128plus(1)
  let covered = 0
  for (const group of divisible) {
    const pairs = Math.floor(group.length / 2)
    const quantile = quantileOfT(significanceLevel, pairs - 1)
    const shuffled = [...group]
    for (let split = 0; split < splitsPerGroup; split++) {
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = uniformInt(generator, 0, i)
        ;[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]]
      }
      const differences = Array.from(
        { length: pairs },
        (_, i) => shuffled[2 * i] - shuffled[2 * i + 1],
      )
      const radius = (quantile * deviationOf(differences)) / Math.sqrt(pairs)
      if (Math.abs(meanOf(differences)) <= radius) covered++
    }
  }
  return divisible.length === 0 ? undefined : { splits: splitsPerGroup * divisible.length, covered }
}

/**
 * Corrects p-values for their number by Bonferroni's method. Intervals at `significanceLevel` / number
 * agree with them: all hold at once with a probability of at least 1 − `significanceLevel`.
 */
export const bonferroni = (pValues: readonly number[]): readonly number[] =>
  pValues.map((pValue) => Math.min(pValues.length * pValue, 1))

export const meanOf = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

/** Sample standard deviation (n − 1); NaN for one value. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}
