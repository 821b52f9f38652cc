import { trainingSeconds } from '../run/history.ts'
import type { FinishedRun } from './comparison.ts'
import { deviationOf, differencePValue, holm, meanOf, significanceLevel } from './significance.ts'

/** The results of a contender over all seeds. */
export interface ContenderSummary {
  readonly contender: string
  /** After the last epoch, by seed. */
  readonly top1: readonly number[]
  readonly mean: number
  /** Sample standard deviation over the seeds (n − 1); NaN for one seed. */
  readonly deviation: number
  /** Top-1 accuracy minus that of the first contender with the same seed. */
  readonly difference: {
    readonly mean: number
    readonly deviation: number
    /** Number of seeds with a positive difference. */
    readonly wins: number
    /** Number of seeds that both have finished. */
    readonly seeds: number
    /** Holm-corrected; undefined for the first contender, and without common seeds. */
    readonly pValue: number | undefined
  }
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
  const [reference] = contenders
  const pValues = pValuesAgainst(reference, runs, contenders, images)
  const lastEpochs = new Map(
    runs.map(({ contender, seed, history }) => [
      `${contender} ${seed}`,
      history.epochs[history.epochs.length - 1],
    ]),
  )
  return contenders.flatMap((contender) => {
    const own = runs.filter((run) => run.contender === contender)
    if (own.length === 0) return []
    const last = own.map(({ history }) => history.epochs[history.epochs.length - 1])
    const top1 = last.map((row) => row.top1)
    const differences = own.flatMap(({ seed }, i) => {
      const other = lastEpochs.get(`${reference} ${seed}`)
      return other ? [top1[i] - other.top1] : []
    })
    const frictions = own.flatMap(({ history }) => history.friction.map((r) => r.histogram.mean))
    return [
      {
        contender,
        top1,
        mean: meanOf(top1),
        deviation: deviationOf(top1),
        difference: {
          mean: meanOf(differences),
          deviation: deviationOf(differences),
          wins: differences.filter((difference) => difference > 0).length,
          seeds: differences.length,
          pValue: pValues.get(contender),
        },
        validationLoss: meanOf(last.map((row) => row.validationLoss)),
        seconds: meanOf(own.map(({ history }) => trainingSeconds(history))),
        friction: frictions.length > 0 ? meanOf(frictions) : undefined,
      },
    ]
  })
}

/** Corrected p-values of the differences from one contender, by name of the others that share a seed with it. */
function pValuesAgainst(
  reference: string,
  runs: readonly FinishedRun[],
  contenders: readonly string[],
  images: number,
): ReadonlyMap<string, number> {
  const resultsOf = (name: string): ReadonlyMap<number, number> =>
    new Map(
      runs
        .filter(({ contender }) => contender === name)
        .map(({ seed, history }) => [seed, history.epochs[history.epochs.length - 1].top1]),
    )
  const own = resultsOf(reference)
  const tested = contenders.flatMap((name) => {
    const pairs = [...resultsOf(name)].flatMap(([seed, top1]) => {
      const other = own.get(seed)
      return other === undefined ? [] : [[top1, other] as const]
    })
    if (name === reference || pairs.length === 0) return []
    const [first, second] = [0, 1].map((i) => pairs.map((pair) => pair[i]))
    return [{ name, pValue: differencePValue({ first, second }, images) }]
  })
  const corrected = holm(tested.map(({ pValue }) => pValue))
  return new Map(tested.map(({ name }, i) => [name, corrected[i]]))
}

/** The contender whose mean is best, if it differs from every other one beyond the noise; else undefined. */
export function winnerOf(
  summaries: readonly ContenderSummary[],
  runs: readonly FinishedRun[],
  images: number,
): string | undefined {
  if (summaries.length < 2) return undefined
  const best = summaries.reduce((a, b) => (b.mean > a.mean ? b : a)).contender
  const names = summaries.map(({ contender }) => contender)
  const pValues = pValuesAgainst(best, runs, names, images)
  const isBeyondNoise = (name: string): boolean => (pValues.get(name) ?? 1) < significanceLevel
  return names.every((name) => name === best || isBeyondNoise(name)) ? best : undefined
}

/** Whether a difference is within the noise, in words. */
export const noiseText = (pValue: number): string =>
  pValue < significanceLevel
    ? `beyond the noise, p ${pValue < 0.001 ? '< 0.001' : `= ${pValue.toFixed(3)}`}`
    : `within the noise, p = ${pValue.toFixed(2)}`
