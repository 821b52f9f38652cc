import type { Histogram } from '@diffgrad/core'
import { rules } from '../config/choices.ts'

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

/** All results of a run so far. */
export interface History {
  /** Training loss of every step. */
  readonly losses: readonly number[]
  readonly epochs: readonly EpochRow[]
  readonly friction: readonly FrictionReading[]
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

/** Whether a rule has a friction ξ. */
export const hasFriction = (optimizer: string): boolean =>
  rules[optimizer].intermediates?.includes('xi') ?? false

/** At most so many histograms of ξ per epoch: one over 11 million parameters takes most of a second. */
const maxHistogramsPerEpoch = 4

/** Whether ξ is recorded at a batch of an epoch: at the last one, and at even distances before it. */
export const isFrictionRecorded = (batch: number, batchesPerEpoch: number): boolean => {
  const interval = Math.ceil(batchesPerEpoch / maxHistogramsPerEpoch)
  return (batchesPerEpoch - 1 - batch) % interval === 0
}
