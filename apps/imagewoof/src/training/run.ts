import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { writeModel } from '@diffgrad/onnx'
import type { Config } from '../config/config.ts'
import { learningRateOf } from '../config/optimizer.ts'
import type { Dataset } from '../data/dataset.ts'
import { archives, isUrl } from '../data/sources/locate.ts'
import type { TrainingEngine } from '../engine/engine.ts'
import { Failure, WriteFailure } from '../failure.ts'
import { checkBackbone } from '../model/backbone.ts'
import { savedModel } from '../model/network.ts'
import { describeEnvironment, requireSameData } from '../run/environment.ts'
import { EventFile } from '../run/event-file.ts'
import { initialState, type TrainingState } from '../run/history.ts'
import { RunFolder, requireNewFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { showTrainingProgress } from '../terminal/training-progress.ts'
import { openData, openSession, type Session } from './session.ts'
import { isFinished, train } from './train.ts'

/** A run after `startRun` or `resumeRun`. */
export interface Run {
  readonly folder: RunFolder
  readonly state: TrainingState
  /** False if the training was interrupted. */
  readonly finished: boolean
}

/**
 * Trains by a configuration, in a new run folder.
 *
 * @param dataset - of the configuration, if it is already open.
 * @throws {Failure} If configuration, data and run folder do not permit it.
 */
export async function startRun(
  settings: Config,
  path: string,
  context: CommandContext,
  dataset?: Dataset,
): Promise<Run> {
  const config = withAbsolutePaths(settings)
  await requireNewFolder(path, 'run folder')
  await checkBackbone(config)
  const session = await openSession(config, dataset ?? (await openData(config, context)))
  try {
    const { model } = session.trainable
    const backbone = config.backbone === undefined ? undefined : writeModel(model)
    const environment = describeEnvironment(session.dataset, config)
    const folder = await RunFolder.create(path, config, environment, backbone)
    return await trainFrom(initialState, session, folder, context)
  } finally {
    await session.close()
  }
}

/**
 * Resumes a run from its last checkpoint, or restarts it if it has none. Of a finished run, says so.
 *
 * @param dataPath - the new path of the data, if it was moved. It is saved in the configuration.
 * @param dataset - the data, if it is already open.
 * @throws {Failure} If the path is not a run folder, another process owns it, or the data has changed.
 */
export async function resumeRun(
  path: string,
  context: CommandContext,
  dataPath?: string,
  dataset?: Dataset,
): Promise<Run> {
  const folder = await RunFolder.open(path)
  await folder.own()
  const saved = await folder.config()
  const history = await folder.history()
  if (history.epochs.length >= saved.epochs) {
    context.screen.write(`${path} is finished: all ${saved.epochs} epochs are complete`)
    if (dataPath === undefined)
      return { folder, state: { ...initialState, history }, finished: true }
  }
  const config = withAbsolutePaths({ ...saved, data: dataPath ?? saved.data })
  const opened = dataset ?? (await openData(config, context))
  requireSameData(opened, await folder.environment(), path)
  if (config.data !== saved.data) await folder.saveConfig(config)
  const session = await openSession(config, opened, savedModel(folder.pathOf('backbone.onnx')))
  try {
    return await trainFrom(await restore(folder, session.engine), session, folder, context)
  } finally {
    await session.close()
  }
}

/** Loads the last checkpoint of a run into an engine. */
async function restore(folder: RunFolder, engine: TrainingEngine): Promise<TrainingState> {
  const checkpoint = await folder.checkpoint('last')
  if (!checkpoint) return initialState
  // The notes of a checkpoint are those that train.ts passes to `engine.save`.
  const state = (await engine.load(checkpoint)) as TrainingState
  // A kill between the two writes of a save leaves an older history.
  await folder.saveHistory(state.history)
  return state
}

async function trainFrom(
  from: TrainingState,
  session: Session,
  folder: RunFolder,
  { screen, signal, livePage }: CommandContext,
): Promise<Run> {
  const { config, loader } = session
  const steps = config.epochs * loader.batchesPerEpoch
  const learningRate = learningRateOf(config, loader.batchesPerEpoch)
  const progress = showTrainingProgress(screen, steps, from.history.losses.length)
  livePage?.showRun(folder.path, steps)
  const events = await EventFile.open(folder.path, from.events)
  try {
    const training = { ...session, learningRate, folder, events, progress, signal, livePage }
    const state = await train(training, from)
    return { folder, state, finished: isFinished(state, config) }
  } catch (cause) {
    if (!(cause instanceof WriteFailure)) throw cause
    throw new Failure(`${cause.message}\n${await checkpointText(folder)}`, { cause })
  } finally {
    progress.stop()
    await events.close()
  }
}

/** What a training that cannot write leaves. */
async function checkpointText(folder: RunFolder): Promise<string> {
  const { losses } = await folder.history()
  return losses.length === 0
    ? 'No checkpoint was saved yet.'
    : `The last checkpoint, after ${losses.length} steps, is whole: ${folder.pathOf('last.safetensors')}. Make space, and resume the run.`
}

/** Resolves relative folders, so that a run can be resumed from any working directory. */
export function withAbsolutePaths(config: Config): Config {
  const { data, backbone } = config
  return {
    ...config,
    ...(data !== 'shapes' && !archives.has(data) && !isUrl(data) && { data: resolve(data) }),
    ...(backbone !== undefined && existsSync(backbone) && { backbone: resolve(backbone) }),
  }
}
