import type { Histogram } from '@diffgrad/arrays'
import { emptyCurve, type LearningCurve, withAccuracy, withLoss } from '../ui/learning-curve.ts'
import type { TrainingEvent } from './worker-client.ts'

/** The progress of one optimizer. */
export interface OptimizerProgress extends LearningCurve {
  /** The friction of all weights at the last step; undefined if the rule has none. */
  readonly friction: Histogram | undefined
  /** The duration of the last step. */
  readonly milliseconds: number | undefined
}

/** The progress of a training. */
export interface TrainingProgress {
  /** What the worker is doing, as text. */
  readonly phase: string
  /** One entry per optimizer. */
  readonly optimizers: readonly OptimizerProgress[]
  readonly finished: boolean
  /** The error message, if the training failed. */
  readonly error: string | undefined
}

/** The progress before the first event. */
export const initialProgress = (optimizers: number): TrainingProgress => ({
  phase: '',
  optimizers: Array.from({ length: optimizers }, () => ({
    ...emptyCurve,
    friction: undefined,
    milliseconds: undefined,
  })),
  finished: false,
  error: undefined,
})

/** Applies an event of the worker. */
export function reduce(progress: TrainingProgress, event: TrainingEvent): TrainingProgress {
  switch (event.kind) {
    case 'phase':
      return { ...progress, phase: event.text }
    case 'samples':
      return progress
    case 'step':
      return update(progress, event.optimizer, {
        ...withLoss(progress.optimizers[event.optimizer], event.loss),
        friction: event.friction,
        milliseconds: event.milliseconds,
      })
    case 'evaluation':
      return update(
        progress,
        event.optimizer,
        withAccuracy(progress.optimizers[event.optimizer], event.step, event.accuracy),
      )
    case 'done':
      return { ...progress, phase: 'done', finished: true }
    case 'failed':
      return { ...progress, finished: true, error: event.message }
  }
}

const update = (
  progress: TrainingProgress,
  optimizer: number,
  changes: Partial<OptimizerProgress>,
): TrainingProgress => ({
  ...progress,
  optimizers: progress.optimizers.with(optimizer, {
    ...progress.optimizers[optimizer],
    ...changes,
  }),
})
