import type { Outcome } from './comparison.ts'

/** How a contender did over all seeds. */
export interface Standing {
  readonly contender: string
  /** After the last epoch, by seed. */
  readonly top1: readonly number[]
  readonly mean: number
  /** Standard deviation over the seeds, of n − 1; NaN for one. */
  readonly spread: number
  /** Against the first contender from the same seed. */
  readonly difference: { readonly mean: number; readonly spread: number; readonly wins: number }
  readonly validationLoss: number
  readonly seconds: number
  /** Of the readings of ξ; undefined for rules without. */
  readonly friction: number | undefined
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

const deviation = (values: readonly number[]): number => {
  const middle = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

/** Sums up what contenders did, in their order. Those without a finished run are left out. */
export function standingsOf(
  outcomes: readonly Outcome[],
  contenders: readonly string[],
): readonly Standing[] {
  const [reference] = contenders
  const final = new Map(
    outcomes.map(({ contender, seed, history }) => [
      `${contender} ${seed}`,
      history.epochs[history.epochs.length - 1],
    ]),
  )
  return contenders.flatMap((contender) => {
    const own = outcomes.filter((outcome) => outcome.contender === contender)
    if (own.length === 0) return []
    const last = own.map(({ history }) => history.epochs[history.epochs.length - 1])
    const top1 = last.map((row) => row.top1)
    const differences = own.flatMap(({ seed }, i) => {
      const other = final.get(`${reference} ${seed}`)
      return other ? [top1[i] - other.top1] : []
    })
    const readings = own.flatMap(({ history }) => history.friction.map((r) => r.histogram.mean))
    return [
      {
        contender,
        top1,
        mean: mean(top1),
        spread: deviation(top1),
        difference: {
          mean: mean(differences),
          spread: deviation(differences),
          wins: differences.filter((difference) => difference > 0).length,
        },
        validationLoss: mean(last.map((row) => row.validationLoss)),
        seconds: mean(
          own.map(({ history }) => history.epochs.reduce((sum, row) => sum + row.seconds, 0)),
        ),
        friction: readings.length > 0 ? mean(readings) : undefined,
      },
    ]
  })
}
