import { join } from 'node:path'
import type { Which } from '../run/run-folder.ts'
import { openTrainedEngine } from '../training/trained.ts'
import { exportFolder } from './export-folder.ts'

/** Where a checkpoint is exported to, unless told otherwise. */
export const exportPath = (run: string, which: Which): string =>
  join(run, which === 'best' ? 'export' : `export-${which}`)

/** Exports a checkpoint of a run. Gives the folder's path. */
export async function exportRun(
  run: string,
  which: Which,
  path: string = exportPath(run, which),
): Promise<string> {
  const { engine, classes, size } = await openTrainedEngine(run, which)
  try {
    await exportFolder(path, { model: await engine.export(), classes, size })
    return path
  } finally {
    await engine.dispose()
  }
}
