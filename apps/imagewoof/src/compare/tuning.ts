import { heldOutShare } from '../config/config.ts'
import { Failure } from '../failure.ts'
import { formatPercent } from '../format.ts'
import type { History } from '../run/history.ts'
import type { PlannedRun } from '../trials/planned-run.ts'
import { type Contender, contenderRun } from './contenders.ts'

/** The grid of learning rates, as factors of each contender's own rate. */
export const defaultFactors: readonly number[] = [1 / 4, 1 / 2, 1, 2, 4]

/** A training with one learning rate of a contender's grid. */
export interface Trial {
  readonly contender: string
  readonly rate: number
  /** Undefined until it is finished, and if it diverged. */
  readonly history: History | undefined
  readonly diverged: boolean
}

/**
 * Gives contenders a grid of learning rates to choose from.
 *
 * @throws {Failure} If the contenders hold out images themselves.
 */
export function withGrid(
  contenders: readonly Contender[],
  factors: readonly number[],
): readonly Contender[] {
  if (contenders.some(({ config }) => config.holdOut !== undefined))
    throw new Failure(
      '--hold-out excludes --tune-learning-rate, which holds out training images itself',
    )
  const ascending = factors.toSorted((a, b) => a - b)
  return contenders.map((contender) => ({
    ...contender,
    // Without the rounding errors of products such as 3 × 0.1.
    rates: ascending.map((factor) =>
      Number((factor * contender.config.learningRate).toPrecision(12)),
    ),
  }))
}

/**
 * The trial of a contender with a learning rate. It sees no validation image, and no seed of the comparison.
 *
 * @param seeds - of the comparison.
 * @param parent - the folder of all trials.
 */
export function rateRun(
  { name, config }: Contender,
  rate: number,
  seeds: readonly number[],
  parent: string,
): PlannedRun {
  const { validationImages: _, ...others } = config
  const seed = Math.max(...seeds) + 1
  const own = { ...others, learningRate: rate, holdOut: heldOutShare, seed }
  return contenderRun(name, own, `learning rate ${rate}`, parent)
}

/** The last epoch of a finished trial. */
const resultOf = ({ history }: Trial) => history?.epochs[history.epochs.length - 1]

/** The held-out accuracy after the last epoch, or why there is none. */
export function trialText(trial: Trial): string {
  const row = resultOf(trial)
  if (row) return formatPercent(row.top1)
  return trial.diverged ? 'diverged' : '–'
}

/**
 * The learning rate with the best held-out accuracy after the last epoch, and of equal ones that with the
 * lowest loss; undefined if no trial of the contender is finished.
 */
function bestRate(trials: readonly Trial[], contender: string): number | undefined {
  const finished = trials.flatMap((trial) => {
    const row = resultOf(trial)
    return row && trial.contender === contender ? [{ rate: trial.rate, row }] : []
  })
  const best = finished.toSorted(
    (a, b) => b.row.top1 - a.row.top1 || a.row.validationLoss - b.row.validationLoss,
  )
  return best[0]?.rate
}

/** Gives each contender its best learning rate, and its own where all trials have diverged. */
export const withBestRates = (
  contenders: readonly Contender[],
  trials: readonly Trial[],
): readonly Contender[] =>
  contenders.map((contender) => {
    const { name, config } = contender
    const learningRate = bestRate(trials, name) ?? config.learningRate
    return { ...contender, config: { ...config, learningRate } }
  })

/** What a user should know of the tuned learning rates, in sentences. */
export const tuningWarnings = (
  contenders: readonly Contender[],
  trials: readonly Trial[],
): readonly string[] =>
  contenders.flatMap(({ name, rates = [], config }) => {
    const best = bestRate(trials, name)
    if (best === undefined)
      return [
        `${name}: no trial reached its end, so that it has its own rate, ${config.learningRate}.`,
      ]
    if (best !== rates[0] && best !== rates[rates.length - 1]) return []
    return [
      `${name}: the best rate, ${best}, is at the edge of its grid; a better one may lie beyond.`,
    ]
  })
