import type { Histogram } from '@diffgrad/core'

/** One epoch, as it is logged. */
export interface EpochRow {
  /** Counted from 1. */
  readonly epoch: number
  /** Means over the epoch's batches, each before its step. */
  readonly trainLoss: number
  readonly trainAccuracy: number
  readonly validationLoss: number
  readonly top1: number
  readonly top5: number
  /** Of the epoch's last step. */
  readonly learningRate: number
  /** Of training and validation. */
  readonly seconds: number
  /** In training. */
  readonly picturesPerSecond: number
}

/** ξ of all parameters at one step. */
export interface FrictionReading {
  /** Steps taken before it. */
  readonly step: number
  readonly histogram: Histogram
}

/** What has been seen. */
export interface History {
  /** Of every train step. */
  readonly losses: readonly number[]
  readonly epochs: readonly EpochRow[]
  readonly friction: readonly FrictionReading[]
}

/** Where a training stands, between two steps. */
interface Position {
  /** Counted from 0. */
  readonly epoch: number
  /** The next batch of the epoch. */
  readonly batch: number
  /** Sum of the accuracies of the epoch's batches. */
  readonly accuracies: number
  /** That the epoch took, in training. */
  readonly seconds: number
}

/** All that goes with the weights and the optimizer's memory, as JSON. */
export interface TrainingState {
  readonly position: Position
  readonly history: History
  /** Bytes of the event file that belong to it. */
  readonly events: number
}

/** Where every training begins. */
export const beginning: TrainingState = {
  position: { epoch: 0, batch: 0, accuracies: 0, seconds: 0 },
  history: { losses: [], epochs: [], friction: [] },
  events: 0,
}

/** The best share of right answers so far, and the epoch that had it first. */
export const bestOf = ({ epochs }: History): EpochRow | undefined =>
  epochs.reduce<EpochRow | undefined>(
    (best, row) => (best === undefined || row.top1 > best.top1 ? row : best),
    undefined,
  )
