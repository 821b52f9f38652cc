import type { Command } from 'commander'
import { exportRun } from '../export/export-run.ts'
import type { Which } from '../run/run-folder.ts'
import { checkpointOption } from './checkpoint-option.ts'

/** Adds `export`: a folder for transformers.js. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description(
      'write a folder that transformers.js loads: an .onnx file, preprocessor and labels',
    )
    .argument('<run>', 'the run folder')
    .addOption(checkpointOption())
    .option('--out <folder>', 'where to (default: export or export-last in the run folder)')
    .action(async (run: string, options: { readonly checkpoint: Which; readonly out?: string }) => {
      const path = await exportRun(run, options.checkpoint, options.out)
      console.log(`${path}\n`)
      console.log(`import { pipeline } from '@huggingface/transformers'`)
      console.log(`const classify = await pipeline('image-classification', '${path}')`)
    })
}
