import { resolve } from 'node:path'
import { writeModel } from '@diffgrad/onnx'
import type { Config } from '../config/config.ts'
import { archives } from '../data/sources/archives.ts'
import { Failure } from '../failure.ts'
import { optimizerOf } from '../recipe/optimizer.ts'
import { updatesOf } from '../recipe/recipe.ts'
import { environmentOf } from '../run/environment.ts'
import { EventFile } from '../run/events/event-file.ts'
import { RunFolder } from '../run/run-folder.ts'
import { beginning, type TrainingState } from './history.ts'
import { progressOn } from './progress.ts'
import { networkIn, openSession, type Session } from './session.ts'
import type { Surface } from './surface.ts'
import { isFinished, train } from './train.ts'

/** What became of a run. */
export interface Run {
  readonly folder: RunFolder
  readonly state: TrainingState
  readonly finished: boolean
}

/**
 * Trains what a configuration describes, into a new run folder.
 *
 * @throws {Failure} Naming what of configuration, data or folder is in the way.
 */
export async function startRun(given: Config, path: string, surface: Surface): Promise<Run> {
  const session = await openSession(withWholePath(given), surface)
  try {
    const { config, dataset, network } = session
    const folder = await RunFolder.create(path, config, environmentOf(dataset, config))
    if (config.backbone !== undefined) await folder.save('backbone.onnx', writeModel(network.model))
    return await carryOn(session, folder, beginning, surface)
  } finally {
    await session.close()
  }
}

/** The same configuration with data that is found from any folder. Names are found anyway. */
const withWholePath = (config: Config): Config =>
  config.data === 'shapes' || archives.has(config.data)
    ? config
    : { ...config, data: resolve(config.data) }

/**
 * Goes on with a run from its last checkpoint, or from its beginning if it never had one.
 *
 * @throws {Failure} If the folder is no run's, or the data is no longer the same.
 */
export async function resumeRun(path: string, surface: Surface): Promise<Run> {
  const folder = await RunFolder.open(path)
  const session = await openSession(await folder.config(), surface, networkIn(folder))
  try {
    const { data } = await folder.environment()
    const { hash, name } = session.dataset
    if (hash !== data.hash)
      throw new Failure(
        `${path}: the data must be as it was, SHA-256 ${data.hash}, but ${name} is ${hash}`,
      )
    const checkpoint = await folder.checkpoint('last')
    // The notes are what `save` of training.ts gave.
    const notes = checkpoint && ((await session.engine.load(checkpoint)) as TrainingState)
    return await carryOn(session, folder, notes ?? beginning, surface)
  } finally {
    await session.close()
  }
}

async function carryOn(
  session: Session,
  folder: RunFolder,
  from: TrainingState,
  { screen, signal }: Surface,
): Promise<Run> {
  const { config, loader } = session
  const steps = config.epochs * loader.batchesPerEpoch
  const { learningRate = 0 } = optimizerOf(config, updatesOf(config, loader))
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
