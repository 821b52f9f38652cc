import { trainingSeconds } from '../run/history.ts'
import type { FinishedRun } from './comparison.ts'
import {
  bonferroni,
  deviationOf,
  type Interval,
  meanInterval,
  meanOf,
  type NoiseFloor,
  noiseFloor,
  pairedTTest,
  proportionsTest,
  type SplitCoverage,
  significanceLevel,
  splitCoverage,
} from './significance.ts'

/** What a comparison says of a contender beside the first one. */
export type Verdict =
  | 'too few seeds'
  | 'no difference'
  | 'better'
  | 'worse'
  | 'better on these images'
  | 'worse on these images'

/**
 * Seeds that a verdict needs. Accuracies are counts of images: two differences are equal by chance in a few
 * of a hundred comparisons, which a t-test takes for certainty.
 */
const fewestSeeds = 3

/** How verdicts are reached, as reports say it. */
export const verdictDescription =
  'A contender is better or worse if its interval, from three seeds or more, excludes 0: seeds alone then hardly explain the difference. The intervals are of paired t-tests (Student 1908), at 95 % for all contenders at once: each is at 1 − 5 % / number of comparisons (Bonferroni), and p is corrected likewise, so that it is below 0.05 exactly if the interval excludes 0. “On these images” is added if other validation images might tell otherwise: a two-sided test of two proportions, corrected likewise (Dietterich, Neural Computation 10, 1998). “No difference” means that none was found: the interval says how large one may still be.'

/** The top-1 accuracies of a contender minus those of another one with the same seeds. */
export interface Difference {
  readonly mean: number
  readonly deviation: number
  /** Number of seeds with a positive difference. */
  readonly wins: number
  /** Number of seeds that both have finished. */
  readonly seeds: number
  /** At 95 % for all comparisons with the other contender at once; undefined with too few seeds. */
  readonly interval: Interval | undefined
  /** That seeds explain the difference, corrected for the number of comparisons; undefined with too few seeds. */
  readonly pValue: number | undefined
  readonly verdict: Verdict
}

/** The results of a contender over all seeds. */
export interface ContenderSummary {
  readonly contender: string
  /** After the last epoch, by seed. */
  readonly top1: readonly number[]
  readonly mean: number
  /** Sample standard deviation over the seeds (n − 1); NaN for one seed. */
  readonly deviation: number
  /** From the first contender; undefined for the first one itself, and without common seeds. */
  readonly difference: Difference | undefined
  readonly validationLoss: number
  readonly seconds: number
  /** Mean ξ over all readings; undefined for rules without ξ. */
  readonly friction: number | undefined
}

/**
 * Summarizes finished runs by contender, in the order of `contenders`. Those without a run are left out.
 *
 * @param images - number of validation images.
 */
export function summarizeContenders(
  runs: readonly FinishedRun[],
  contenders: readonly string[],
  images: number,
): readonly ContenderSummary[] {
  const differences = differencesFrom(contenders[0], runs, contenders, images)
  return contenders.flatMap((contender) => {
    const own = runs.filter((run) => run.contender === contender)
    if (own.length === 0) return []
    const last = own.map(({ history }) => history.epochs[history.epochs.length - 1])
    const top1 = last.map((row) => row.top1)
    const frictions = own.flatMap(({ history }) => history.friction.map((r) => r.histogram.mean))
    return [
      {
        contender,
        top1,
        mean: meanOf(top1),
        deviation: deviationOf(top1),
        difference: differences.get(contender),
        validationLoss: meanOf(last.map((row) => row.validationLoss)),
        seconds: meanOf(own.map(({ history }) => trainingSeconds(history))),
        friction: frictions.length > 0 ? meanOf(frictions) : undefined,
      },
    ]
  })
}

/** The differences from one contender, by name of the others that share a seed with it. */
function differencesFrom(
  reference: string,
  runs: readonly FinishedRun[],
  contenders: readonly string[],
  images: number,
): ReadonlyMap<string, Difference> {
  const resultsOf = (name: string): ReadonlyMap<number, number> =>
    new Map(
      runs
        .filter(({ contender }) => contender === name)
        .map(({ seed, history }) => [seed, history.epochs[history.epochs.length - 1].top1]),
    )
  const own = resultsOf(reference)
  const pairs = contenders.flatMap((name) => {
    const common = [...resultsOf(name)].flatMap(([seed, top1]) => {
      const other = own.get(seed)
      return other === undefined ? [] : [{ top1, other }]
    })
    if (name === reference || common.length === 0) return []
    const means = [meanOf(common.map((pair) => pair.top1)), meanOf(common.map((p) => p.other))]
    return [{ name, means, values: common.map(({ top1, other }) => top1 - other) }]
  })
  const ofSeeds = bonferroni(
    pairs.map(({ values }) => (values.length < fewestSeeds ? 1 : pairedTTest(values))),
  )
  const ofImages = bonferroni(
    pairs.map(({ means: [first, second] }) => proportionsTest(first, second, images)),
  )
  return new Map(
    pairs.map(({ name, values }, i) => {
      const isTested = values.length >= fewestSeeds
      const mean = meanOf(values)
      const difference = {
        mean,
        deviation: deviationOf(values),
        wins: values.filter((value) => value > 0).length,
        seeds: values.length,
        interval: isTested ? meanInterval(values, significanceLevel / pairs.length) : undefined,
        pValue: isTested ? ofSeeds[i] : undefined,
        verdict: isTested ? verdictOf(mean, ofSeeds[i], ofImages[i]) : 'too few seeds',
      } as const
      return [name, difference]
    }),
  )
}

/** Whether a verdict says that there is a difference. */
export const isClaim = (verdict: Verdict): boolean => /^(?:better|worse)/.test(verdict)

function verdictOf(difference: number, ofSeeds: number, ofImages: number): Verdict {
  if (ofSeeds >= significanceLevel) return 'no difference'
  const direction = difference > 0 ? 'better' : 'worse'
  return ofImages < significanceLevel ? direction : `${direction} on these images`
}

/** The contender whose mean is best, if it is better than every other one; else undefined. */
export function winnerOf(
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  images: number,
): string | undefined {
  if (summaries.length < 2) return undefined
  const best = summaries.reduce((a, b) => (b.mean > a.mean ? b : a)).contender
  const names = summaries.map(({ contender }) => contender)
  const differences = differencesFrom(best, runs, names, images)
  return names.every((name) => name === best || differences.get(name)?.verdict === 'worse')
    ? best
    : undefined
}

/** What a comparison has found, in a sentence; undefined for fewer than two contenders. */
export function conclusion(
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  images: number,
): string | undefined {
  if (summaries.length < 2) return undefined
  const winner = winnerOf(summaries, runs, images)
  if (winner !== undefined) return `${winner} is better than every other, beyond the noise.`
  const verdicts = summaries.flatMap(({ difference }) => difference?.verdict ?? [])
  if (verdicts.some(isClaim))
    return 'No winner: the best is not better than every other beyond the noise.'
  return verdicts.includes('no difference')
    ? `No difference from ${summaries[0].contender} was found.`
    : `Too few seeds for a verdict, which needs ${fewestSeeds}.`
}

/** What seeds alone do, from the runs of each contender. */
export interface SeedNoise {
  readonly floor: NoiseFloor | undefined
  readonly coverage: SplitCoverage | undefined
}

export function seedNoise(summaries: readonly ContenderSummary[]): SeedNoise {
  const groups = summaries.map(({ top1 }) => top1)
  return { floor: noiseFloor(groups), coverage: splitCoverage(groups) }
}

/** A difference in percentage points with its sign: −0.012 → −1.2. */
export const formatPoints = (share: number): string =>
  `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`

/** An interval in percentage points: −1.2 to +0.4. */
export const formatPointsInterval = ([low, high]: Interval): string =>
  `${formatPoints(low)} to ${formatPoints(high)}`

/** A p-value: p < 0.001, p = 0.012, p = 0.34. */
export const formatP = (pValue: number): string =>
  pValue < 0.001 ? 'p < 0.001' : `p = ${pValue.toFixed(pValue < 0.1 ? 3 : 2)}`

/** What a noise floor and its check say, in sentences. */
export const noiseSentences = ({ floor, coverage }: SeedNoise): readonly string[] => [
  ...(floor
    ? [
        `Noise floor: two runs of one optimizer that differ only in their seed are up to ${(100 * floor.difference).toFixed(1)} points apart in 95 % of cases (deviation of a run ${(100 * floor.deviation).toFixed(2)}, ${floor.degrees} degrees of freedom).`,
      ]
    : []),
  ...(coverage
    ? [
        `Check: with the seeds of each contender split at random in two, as if they were two optimizers, the 95 % interval of the difference holds 0 in ${((100 * coverage.covered) / coverage.splits).toFixed(1)} % of ${coverage.splits.toLocaleString('en')} splits.`,
      ]
    : []),
]
