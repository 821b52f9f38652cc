import type { Command } from 'commander'
import { type CheckpointKind, RunFolder } from '../run/run-folder.ts'
import { exportRun } from '../training/load-run.ts'
import { checkpointOption } from './command-line.ts'
import { writePlanReport } from './plan.ts'
import { openPlan } from './train.ts'

interface ExportOptions {
  readonly checkpoint: CheckpointKind
  readonly out?: string
}

/** Adds `export`: writes a checkpoint as a transformers.js folder. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description(
      'write a folder that transformers.js loads: an .onnx file, preprocessor and labels',
    )
    .argument('<run>', 'run folder')
    .addOption(checkpointOption())
    .option('--out <folder>', 'output folder (default: export or export-last in the run folder)')
    .action(async (run: string, options: ExportOptions) => {
      const path = await exportRun(run, options.checkpoint, options.out)
      console.log(`${path}\n`)
      console.log(`import { pipeline } from '@huggingface/transformers'`)
      console.log(`const classify = await pipeline('image-classification', '${path}')`)
    })
}

/** Adds `report`: writes report.html again from the files of a run or comparison. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('write report.html again, from the files in a folder')
    .argument('<run>', 'folder of a run, a comparison or a sweep')
    .action(async (path: string) => {
      const reported = await openPlan(path)
      const { writeRunReport } = await import('../report/run-report.ts') // Charts load slowly.
      console.log(
        reported
          ? await writePlanReport(reported)
          : await writeRunReport(await RunFolder.open(path)),
      )
    })
}
