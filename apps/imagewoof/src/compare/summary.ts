import { trainingSeconds } from '../run/history.ts'
import type { FinishedRun } from './comparison.ts'

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
  }
  readonly validationLoss: number
  readonly seconds: number
  /** Mean ξ over all readings; undefined for rules without ξ. */
  readonly friction: number | undefined
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

const deviationOf = (values: readonly number[]): number => {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

/** Summarizes finished runs by contender, in the order of `contenders`. Those without a run are left out. */
export function summarizeContenders(
  runs: readonly FinishedRun[],
  contenders: readonly string[],
): readonly ContenderSummary[] {
  const [reference] = contenders
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
        },
        validationLoss: meanOf(last.map((row) => row.validationLoss)),
        seconds: meanOf(own.map(({ history }) => trainingSeconds(history))),
        friction: frictions.length > 0 ? meanOf(frictions) : undefined,
      },
    ]
  })
}
