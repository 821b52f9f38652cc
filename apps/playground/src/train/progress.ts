import type { Histogram } from '@diffgrad/arrays'
import type { TrainingEvent } from './worker-client.ts'

/** The progress of one optimizer. */
export interface OptimizerProgress {
  /** The loss of each batch. */
  readonly losses: readonly number[]
  /** The running average of the loss after each batch. */
  readonly averagedLosses: readonly number[]
  /** The accuracy on unseen pictures, in [0, 1], by step. */
  readonly accuracies: readonly (readonly [step: number, accuracy: number])[]
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
    losses: [],
    averagedLosses: [],
    accuracies: [],
    friction: undefined,
    milliseconds: undefined,
  })),
  finished: false,
  error: undefined,
})

/** The decay of the running average of the loss. */
const decay = 0.9

/** Applies an event of the worker. */
export function reduce(progress: TrainingProgress, event: TrainingEvent): TrainingProgress {
  switch (event.kind) {
    case 'phase':
      return { ...progress, phase: event.text }
    case 'samples':
      return progress
    case 'step': {
      const { losses, averagedLosses } = progress.optimizers[event.optimizer]
      const average = averagedLosses[averagedLosses.length - 1] ?? event.loss
      return update(progress, event.optimizer, {
        losses: [...losses, event.loss],
        averagedLosses: [...averagedLosses, decay * average + (1 - decay) * event.loss],
        friction: event.friction,
        milliseconds: event.milliseconds,
      })
    }
    case 'evaluation': {
      const { accuracies } = progress.optimizers[event.optimizer]
      return update(progress, event.optimizer, {
        accuracies: [...accuracies, [event.step, event.accuracy]],
      })
    }
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
