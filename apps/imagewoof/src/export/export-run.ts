import { join } from 'node:path'
import type { Which } from '../run/run-folder.ts'
import { openTrainedEngine } from '../training/trained.ts'
import { exportFolder } from './export-folder.ts'

/** Exports a checkpoint of a run; by default into the run folder. Gives the folder's path. */
export async function exportRun(
  run: string,
  which: Which,
  path: string = join(run, 'export'),
): Promise<string> {
  const { engine, classes, size } = await openTrainedEngine(run, which)
  try {
    await exportFolder(path, { model: await engine.export(), classes, size })
    return path
  } finally {
    await engine.dispose()
  }
}
