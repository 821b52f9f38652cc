import type { Config } from '../config/config.ts'
import { evaluate } from '../evaluation/evaluate.ts'
import { endEpoch } from './end-epoch.ts'
import type { TrainingState } from './history.ts'
import { trainEpoch } from './train-epoch.ts'
import { save, type Training } from './training.ts'

/**
 * Trains from a state to the last epoch, or until the signal aborts; then the last checkpoint is of
 * the moment.
 *
 * @returns the state at the end, of which `isFinished` tells whether it is the last.
 */
export async function train(training: Training, from: TrainingState): Promise<TrainingState> {
  const { config, engine, loader, dataset, signal } = training
  let state = from
  while (!isFinished(state, config) && !signal.aborted) {
    state = await trainEpoch(training, state)
    const evaluation = signal.aborted
      ? undefined
      : await evaluate(engine, loader, dataset.classes.length, { signal })
    if (evaluation) state = await endEpoch(training, state, evaluation)
    await save(training, state)
  }
  return state
}

/** Whether all epochs are over. */
export const isFinished = ({ position }: TrainingState, { epochs }: Config): boolean =>
  position.epoch >= epochs
