import type { Histogram } from '@diffgrad/core'
import { type Config, tuneStages } from '../config/config.ts'
import { ruleOf } from '../config/rule.ts'
import type { Provider } from '../provider.ts'

/** The results of one epoch: a row of summary.csv. */
export interface EpochRow {
  /** Counted from 1. */
  readonly epoch: number
  /** Mean over the epoch's batches, each before its update. */
  readonly trainLoss: number
  /** Mean over the epoch's batches, each before its update. */
  readonly trainAccuracy: number
  readonly validationLoss: number
  readonly top1: number
  readonly top5: number
  /** Of the epoch's last step. */
  readonly learningRate: number
  /** Training time of the epoch, without validation. */
  readonly seconds: number
  /** Training speed. */
  readonly imagesPerSecond: number
}

/** A histogram of ξ over all parameters at one step. */
export interface FrictionReading {
  /** Steps taken before this one. */
  readonly step: number
  readonly histogram: Histogram
}

/** A change of the number of epochs by `resume --epochs`. */
export interface EpochsChange {
  /** Epochs complete before the change. */
  readonly epoch: number
  /** Steps taken before the change. */
  readonly step: number
  readonly from: number
  readonly to: number
}

/** A change by `resume` of what computes, after which results differ by rounding. */
interface ComputeChange<T> {
  /** Steps taken before the change. */
  readonly step: number
  readonly from: T
  readonly to: T
}

/** All results of a run so far. */
export interface History {
  /** Training loss of every step. */
  readonly losses: readonly number[]
  readonly epochs: readonly EpochRow[]
  readonly friction: readonly FrictionReading[]
  /** Oldest first; undefined without a change. */
  readonly epochsChanges?: readonly EpochsChange[]
  /** Oldest first; undefined without a change. */
  readonly providerChanges?: readonly ComputeChange<Provider>[]
  /** Oldest first; undefined without a change. */
  readonly threadsChanges?: readonly ComputeChange<number>[]
}

/** The position of a training between two steps. */
interface Position {
  /** Counted from 0. */
  readonly epoch: number
  /** Index of the next batch in the epoch. */
  readonly batch: number
  /** Sum of the accuracies of the epoch's batches. */
  readonly accuracies: number
  /** Training time spent in the epoch. */
  readonly seconds: number
}

/** Everything a checkpoint stores besides the weights and the optimizer state, as JSON. */
export interface TrainingState {
  readonly position: Position
  readonly history: History
  /** Length of the event file in bytes. Later records are discarded on resume. */
  readonly events: number
}

export const initialState: TrainingState = {
  position: { epoch: 0, batch: 0, accuracies: 0, seconds: 0 },
  history: { losses: [], epochs: [], friction: [] },
  events: 0,
}

/** The first epoch with the best top-1 accuracy so far. */
export const bestEpoch = ({ epochs }: History): EpochRow | undefined =>
  epochs.reduce<EpochRow | undefined>(
    (best, row) => (best === undefined || row.top1 > best.top1 ? row : best),
    undefined,
  )

/** The number of epochs that a training is planned for after its latest step. */
export const plannedEpochs = ({ epochsChanges = [] }: History, { epochs }: Config): number =>
  epochsChanges[epochsChanges.length - 1]?.to ?? epochs

/** The number of epochs that a training was planned for at a step, counted from 0. */
export const plannedEpochsAt = (
  { epochsChanges = [] }: History,
  { epochs }: Config,
  step: number,
): number => epochsChanges.find((change) => change.step > step)?.from ?? epochs

/**
 * Why a training has ended: all epochs are complete, or the best top-1 accuracy is `patience` epochs old.
 * Undefined while it trains. The epochs are counted after the latest change of their number, and after
 * the stage of the head alone.
 */
export function endOf(history: History, config: Config): 'complete' | 'impatient' | undefined {
  const { epochs, epochsChanges = [] } = history
  if (epochs.length >= config.epochs) return 'complete'
  const stages = tuneStages(config)
  const since = Math.max(
    bestEpoch(history)?.epoch ?? 0,
    epochsChanges[epochsChanges.length - 1]?.epoch ?? 0,
    stages[stages.length - 1].start,
  )
  return epochs.length - since >= (config.patience ?? Number.POSITIVE_INFINITY)
    ? 'impatient'
    : undefined
}

/** Whether a training has ended, or so many epochs are complete. */
export const hasReached = (history: History, config: Config, until: number): boolean =>
  history.epochs.length >= until || endOf(history, config) !== undefined

/** A sentence on early stopping; undefined if the training was not stopped early. */
export const stopReason = (history: History, config: Config): string | undefined =>
  endOf(history, config) === 'impatient'
    ? `Stopped after epoch ${history.epochs.length} of ${config.epochs}: ${config.patience} epochs without a better top-1 accuracy on the validation images (--patience ${config.patience}).`
    : undefined

/** Total training time of all epochs. */
export const trainingSeconds = ({ epochs }: History): number =>
  epochs.reduce((sum, row) => sum + row.seconds, 0)

/** Distances |ξ − ½|, two bins per decade. Below 1e-7, float32 values near ½ hardly differ. */
export const frictionDistances: readonly number[] = [
  ...Array.from({ length: 14 }, (_, i) => 10 ** (i / 2 - 7)),
  0.5,
  4.5,
]

/** Histogram edges for ξ, which lies in (0, 5): ½ ± `frictionDistances`. */
export const frictionEdges: readonly number[] = [
  ...frictionDistances
    .filter((distance) => distance <= 0.5)
    .toReversed()
    .map((distance) => 0.5 - distance),
  ...frictionDistances.map((distance) => 0.5 + distance),
]

/** Whether the rule of a configuration has a friction ξ. */
export const hasFriction = (config: Config): boolean =>
  ruleOf(config).intermediates?.includes('xi') ?? false

/** At most so many histograms of ξ per epoch: one over 11 million parameters takes most of a second. */
const maxHistogramsPerEpoch = 4

/** Whether ξ is recorded at a batch of an epoch: at the last one, and at even distances before it. */
export const isFrictionRecorded = (batch: number, batchesPerEpoch: number): boolean => {
  const interval = Math.ceil(batchesPerEpoch / maxHistogramsPerEpoch)
  return (batchesPerEpoch - 1 - batch) % interval === 0
}
