import type { Config } from '../config/config.ts'
import { type Evaluation, evaluate } from '../evaluation/evaluate.ts'
import { Divergence, messageOf } from '../failure.ts'
import { endEpoch } from './end-epoch.ts'
import type { TrainingState } from './history.ts'
import { trainEpoch } from './train-epoch.ts'
import { save, type Training } from './training.ts'

/**
 * Trains from a state to the last epoch, or until the signal aborts; then the last checkpoint is of
 * the moment.
 *
 * @returns the state at the end, of which `isFinished` tells whether it is the last.
 * @throws {Divergence} If a loss is not finite, in training or in validation.
 */
export async function train(training: Training, from: TrainingState): Promise<TrainingState> {
  const { config, signal } = training
  let state = from
  while (!isFinished(state, config) && !signal.aborted) {
    state = await trainEpoch(training, state)
    const evaluation = signal.aborted ? undefined : await evaluated(training, state)
    if (evaluation) state = await endEpoch(training, state, evaluation)
    await save(training, state)
  }
  return state
}

/** What the network is after an epoch, or undefined if the signal aborts. */
async function evaluated(
  { engine, loader, dataset, signal }: Training,
  { position }: TrainingState,
): Promise<Evaluation | undefined> {
  try {
    return await evaluate(engine, loader, dataset.classes.length, { signal })
  } catch (cause) {
    if (!(cause instanceof Divergence)) throw cause
    throw new Divergence(`after epoch ${position.epoch + 1}: ${messageOf(cause)}`, { cause })
  }
}

/** Whether all epochs are over. */
export const isFinished = ({ position }: TrainingState, { epochs }: Config): boolean =>
  position.epoch >= epochs
