import { writeModel } from '@diffgrad/onnx'
import type { Config } from '../config/config.ts'
import type { Dataset } from '../data/dataset.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { learningRateOf } from '../recipe/learning-rate.ts'
import { environmentOf } from '../run/environment.ts'
import { EventFile } from '../run/events/event-file.ts'
import { RunFolder } from '../run/run-folder.ts'
import { beginning, type TrainingState } from './history.ts'
import { openData } from './pictures.ts'
import { progressOn } from './progress.ts'
import { mustBeAsItWas } from './same-data.ts'
import { networkIn, openSession, type Session } from './session.ts'
import type { Surface } from './surface.ts'
import { isFinished, train } from './train.ts'
import { withWholePaths } from './whole-paths.ts'

/** What became of a run. */
export interface Run {
  readonly folder: RunFolder
  readonly state: TrainingState
  readonly finished: boolean
}

/**
 * Trains what a configuration describes, into a new run folder.
 *
 * @param dataset - of the configuration, where it is open already.
 * @throws {Failure} Naming what of configuration, data or folder is in the way.
 */
export async function startRun(
  given: Config,
  path: string,
  surface: Surface,
  dataset?: Dataset,
): Promise<Run> {
  const config = withWholePaths(given)
  const session = await openSession(config, dataset ?? (await openData(config, surface)))
  try {
    const { network } = session
    const backbone = config.backbone === undefined ? undefined : writeModel(network.model)
    const environment = environmentOf(session.dataset, config)
    const folder = await RunFolder.create(path, config, environment, backbone)
    return await carryOn(session, folder, beginning, surface)
  } finally {
    await session.close()
  }
}

/**
 * Goes on with a run from its last checkpoint, or from its beginning if it never had one.
 *
 * @param place - where its data is now, if it was moved; it is kept.
 * @param dataset - what is there, where it is open already.
 * @throws {Failure} If the folder is no run's, or the data is no longer the same.
 */
export async function resumeRun(
  path: string,
  surface: Surface,
  place?: string,
  dataset?: Dataset,
): Promise<Run> {
  const folder = await RunFolder.open(path)
  const before = await folder.config()
  const config = withWholePaths({ ...before, data: place ?? before.data })
  const found = dataset ?? (await openData(config, surface))
  mustBeAsItWas(found, await folder.environment(), path)
  if (config.data !== before.data) await folder.saveConfig(config)
  const session = await openSession(config, found, networkIn(folder))
  try {
    return await carryOn(session, folder, await stateIn(folder, session.engine), surface)
  } finally {
    await session.close()
  }
}

/** Puts an engine where a run's last checkpoint was. */
async function stateIn(folder: RunFolder, engine: TrainingEngine): Promise<TrainingState> {
  const checkpoint = await folder.checkpoint('last')
  if (!checkpoint) return beginning
  // The notes are what `save` of training.ts gave.
  const state = (await engine.load(checkpoint)) as TrainingState
  // A kill may have come between the checkpoint and its history.
  await folder.saveHistory(state.history)
  return state
}

async function carryOn(
  session: Session,
  folder: RunFolder,
  from: TrainingState,
  { screen, signal }: Surface,
): Promise<Run> {
  const { config, loader } = session
  const steps = config.epochs * loader.batchesPerEpoch
  const learningRate = learningRateOf(config, loader.batchesPerEpoch)
  const progress = progressOn(screen, steps, from.history.losses.length)
  const events = await EventFile.open(folder.path, from.events)
  try {
    const training = { ...session, learningRate, folder, events, progress, signal }
    const state = await train(training, from)
    return { folder, state, finished: isFinished(state, config) }
  } finally {
    progress.stop()
    await events.close()
  }
}
