import { join } from 'node:path'
import type { TrainingEngine } from '../engine/engine.ts'
import { openEngine } from '../engine/engine-thread.ts'
import { writeExportFolder } from '../export/folder.ts'
import { Failure } from '../failure.ts'
import { savedModel } from '../model/network.ts'
import { dataDifference, requireSameClasses } from '../run/environment.ts'
import { type CheckpointKind, RunFolder } from '../run/run-folder.ts'
import type { CommandContext } from '../terminal/context.ts'
import { openData, openSession, type Session } from './session.ts'

/**
 * Loads a checkpoint of a run and opens the run's data. Other images of the same classes are accepted
 * with a warning.
 *
 * @param dataPath - the new path of the data, if it was moved.
 * @throws {Failure} If the path is not a run folder, the checkpoint does not exist, or the data has other
 * classes.
 */
export async function loadRun(
  path: string,
  kind: CheckpointKind,
  context: CommandContext,
  dataPath?: string,
): Promise<Session> {
  const folder = await RunFolder.open(path)
  const checkpoint = await readCheckpoint(folder, kind)
  const saved = await folder.config()
  const environment = await folder.environment()
  const config = { ...saved, data: dataPath ?? saved.data }
  const dataset = await openData(config, context)
  requireSameClasses(dataset, environment, path)
  const difference = dataDifference(dataset, environment)
  if (difference !== undefined) context.screen.write(`the data has changed: ${difference}\n`)
  const session = await openSession(config, dataset, savedModel(folder.pathOf('backbone.onnx')))
  await loadCheckpoint(session.engine, checkpoint, session.close)
  return session
}

/** The default export folder of a checkpoint. */
export const exportPath = (run: string, kind: CheckpointKind): string =>
  join(run, kind === 'best' ? 'export' : `export-${kind}`)

/**
 * Exports a checkpoint of a run as a transformers.js folder. The run's data is not needed. By default the
 * folder is in the run folder, which must then not be owned by another process.
 *
 * @returns the path of the folder.
 * @throws {Failure} If the path is not a run folder, the checkpoint does not exist, or the folder cannot
 * be written.
 */
export async function exportRun(run: string, kind: CheckpointKind, path?: string): Promise<string> {
  const folder = await RunFolder.open(run)
  return path === undefined
    ? folder.whileOwned(() => exportTo(exportPath(run, kind), folder, kind))
    : exportTo(path, folder, kind)
}

async function exportTo(path: string, folder: RunFolder, kind: CheckpointKind): Promise<string> {
  const checkpoint = await readCheckpoint(folder, kind)
  const config = await folder.config()
  const environment = await folder.environment()
  const { classes, train } = environment.data
  const model = await savedModel(folder.pathOf('backbone.onnx'))(config, classes.length)
  const engine = await openEngine(config, Math.floor(train / config.batch), model)
  await loadCheckpoint(engine, checkpoint, () => engine.dispose())
  try {
    const network = await engine.export()
    const result =
      kind === 'best' ? await folder.evaluation() : (await folder.history()).epochs.at(-1)
    await writeExportFolder(path, { network, config, environment, result })
    return path
  } finally {
    await engine.dispose()
  }
}

async function readCheckpoint(folder: RunFolder, kind: CheckpointKind): Promise<Uint8Array> {
  const checkpoint = await folder.checkpoint(kind)
  if (checkpoint) return checkpoint
  const reason = kind === 'best' ? 'no epoch is complete' : 'no step was saved'
  throw new Failure(`${folder.path}: has no ${kind} checkpoint yet; ${reason}`)
}

/** Loads a checkpoint into an engine; calls `close` before an error is thrown. */
async function loadCheckpoint(
  engine: TrainingEngine,
  checkpoint: Uint8Array,
  close: () => Promise<void>,
): Promise<void> {
  try {
    await engine.load(checkpoint)
  } catch (error) {
    await close()
    throw error
  }
}
