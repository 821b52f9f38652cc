import type { Histogram } from '@diffgrad/arrays'
import type { News } from './message.ts'

/** What became of one racer so far. */
export interface Progress {
  /** The loss of each step's batch. */
  readonly losses: readonly number[]
  /** The same, each a running average. */
  readonly smooth: readonly number[]
  /** The share of unseen pictures that were told right, by step. */
  readonly accuracies: readonly (readonly [step: number, accuracy: number])[]
  readonly friction: Histogram | undefined
  /** Of the last step. */
  readonly milliseconds: number | undefined
}

/** What became of a training so far. */
export interface TrainRecord {
  readonly doing: string
  readonly runs: readonly Progress[]
  readonly over: boolean
  readonly failure: string | undefined
}

const none: Progress = {
  losses: [],
  smooth: [],
  accuracies: [],
  friction: undefined,
  milliseconds: undefined,
}

/** A training that has not begun. */
export const blank = (racers: number): TrainRecord => ({
  doing: '',
  runs: Array.from({ length: racers }, () => none),
  over: false,
  failure: undefined,
})

/** How much of a running average stays at a step. */
const memory = 0.9

/** The record with a piece of news. */
export function noted(record: TrainRecord, news: News): TrainRecord {
  switch (news.kind) {
    case 'doing':
      return { ...record, doing: news.text }
    case 'pictures':
      return record
    case 'step': {
      const run = record.runs[news.racer]
      const losses = [...run.losses, news.loss]
      const before = run.smooth[run.smooth.length - 1] ?? news.loss
      const smooth = [...run.smooth, memory * before + (1 - memory) * news.loss]
      const { friction, milliseconds } = news
      return changed(record, news.racer, { ...run, losses, smooth, friction, milliseconds })
    }
    case 'judged': {
      const run = record.runs[news.racer]
      const accuracies = [...run.accuracies, [news.step, news.accuracy] as const]
      return changed(record, news.racer, { ...run, accuracies })
    }
    case 'done':
      return { ...record, doing: 'done', over: true }
    case 'failed':
      return { ...record, over: true, failure: news.message }
  }
}

const changed = (record: TrainRecord, racer: number, run: Progress): TrainRecord => ({
  ...record,
  runs: record.runs.with(racer, run),
})
