import type { TrainingEngine } from '../engine/engine.ts'
import { Failure } from '../failure.ts'
import { RunFolder, type Which } from '../run/run-folder.ts'
import { openData } from './pictures.ts'
import { changeOf, mustHaveItsClasses } from './same-data.ts'
import { networkIn, openEngine, openSession, type Session } from './session.ts'
import type { Surface } from './surface.ts'

/**
 * Opens a run's data and its network, with the weights of a checkpoint. Other pictures of the same
 * classes will do, but that is said.
 *
 * @param place - where the data is now, if it was moved.
 * @throws {Failure} If the folder is no run's, has no such checkpoint, or the data has other classes.
 */
export async function openTrained(
  path: string,
  which: Which,
  surface: Surface,
  place?: string,
): Promise<Session> {
  const folder = await RunFolder.open(path)
  const checkpoint = await checkpointOf(folder, which)
  const [before, environment] = [await folder.config(), await folder.environment()]
  const config = { ...before, data: place ?? before.data }
  const dataset = await openData(config, surface)
  mustHaveItsClasses(dataset, environment, path)
  const change = changeOf(dataset, environment)
  if (change !== undefined) surface.screen.write(`the data is not as it was: ${change}\n`)
  const session = await openSession(config, dataset, networkIn(folder))
  return loaded(session, checkpoint, () => session.close())
}

/** The engine of a run with the weights of a checkpoint, and the names of its classes; no data. */
export async function openTrainedEngine(
  path: string,
  which: Which,
): Promise<{
  readonly engine: TrainingEngine
  readonly classes: readonly string[]
  readonly size: number
}> {
  const folder = await RunFolder.open(path)
  const checkpoint = await checkpointOf(folder, which)
  const [config, { data }] = [await folder.config(), await folder.environment()]
  const batchesPerEpoch = Math.floor(data.train / config.batch)
  const circumstances = { classes: data.classes.length, batchesPerEpoch }
  const network = await networkIn(folder)(config, circumstances.classes)
  const engine = await openEngine(config, circumstances, network)
  const opened = { engine, classes: data.classes, size: config.size }
  return loaded(opened, checkpoint, () => engine.dispose())
}

async function checkpointOf(folder: RunFolder, which: Which): Promise<Uint8Array> {
  const checkpoint = await folder.checkpoint(which)
  if (checkpoint) return checkpoint
  const reason = which === 'best' ? 'no epoch is over' : 'no step was saved'
  throw new Failure(`${folder.path}: has no ${which} checkpoint yet; ${reason}`)
}

async function loaded<T extends { readonly engine: TrainingEngine }>(
  opened: T,
  checkpoint: Uint8Array,
  close: () => Promise<void>,
): Promise<T> {
  try {
    await opened.engine.load(checkpoint)
    return opened
  } catch (error) {
    await close()
    throw error
  }
}
