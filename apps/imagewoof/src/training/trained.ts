import type { Engine } from '../engine/engine.ts'
import { Failure } from '../failure.ts'
import { RunFolder, type Which } from '../run/run-folder.ts'
import { networkIn, openEngine, openSession, type Session } from './session.ts'
import type { Surface } from './surface.ts'

/**
 * Opens a run's data and its network, with the weights of a checkpoint.
 *
 * @throws {Failure} If the folder is no run's, or has no such checkpoint.
 */
export async function openTrained(path: string, which: Which, surface: Surface): Promise<Session> {
  const folder = await RunFolder.open(path)
  const checkpoint = await checkpointOf(folder, which)
  const session = await openSession(await folder.config(), surface, networkIn(folder))
  return loaded(session, checkpoint, () => session.close())
}

/** The engine of a run with the weights of a checkpoint, and the names of its classes; no data. */
export async function openTrainedEngine(
  path: string,
  which: Which,
): Promise<{
  readonly engine: Engine
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

async function loaded<T extends { readonly engine: Engine }>(
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
