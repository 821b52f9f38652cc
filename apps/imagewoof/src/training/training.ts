import type { Config } from '../config/config.ts'
import type { Loader } from '../data/batch.ts'
import type { Dataset } from '../data/dataset.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import type { LearningRate } from '../recipe/learning-rate.ts'
import type { EventFile } from '../run/events/event-file.ts'
import type { RunFolder } from '../run/run-folder.ts'
import type { TrainingState } from './history.ts'
import type { Progress } from './progress.ts'

/** Everything that a training works with. */
export interface Training {
  readonly config: Config
  readonly dataset: Dataset
  readonly loader: Loader
  readonly engine: TrainingEngine
  readonly learningRate: LearningRate
  readonly folder: RunFolder
  readonly events: EventFile
  readonly progress: Progress
  /** Aborts to end after the step in progress. */
  readonly signal: AbortSignal
}

/** Writes the last checkpoint. */
export async function save(
  { engine, folder, events }: Training,
  state: TrainingState,
): Promise<void> {
  await folder.saveCheckpoint('last', await engine.save({ ...state, events: events.length }))
  await folder.saveHistory(state.history)
}
