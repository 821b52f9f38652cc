import { join } from 'node:path'
import type { Command } from 'commander'
import { type Config, resolveConfig } from '../config/config.ts'
import { addConfigOptions, givenOf } from '../config/options.ts'
import { startRun } from '../training/run.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

/** A folder for what a command makes, named by the moment and the subject. */
export const freshFolder = (...names: readonly string[]): string => {
  const moment = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '')
  return join('runs', [moment, ...names.map((name) => name.replace(/[^\w.-]+/g, '-'))].join('-'))
}

/** Adds `train`: a network from photographs to a saved model. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a network; leaves a run folder with checkpoints and a report')
    .option('--out <folder>', 'the run folder (default: a new one in runs/)')
  addConfigOptions(command).action(async ({ out, ...options }: { readonly out?: string }) => {
    const config = resolveConfig(givenOf(options))
    await interruptibly(async (surface) => {
      await reportRun(await startRun(config, out ?? folderFor(config), surface))
    })
  })
}

/** The run folder of a configuration. */
export const folderFor = ({ data, optimizer }: Config): string => {
  const name = data.split(/[\\/]/).findLast((part) => part !== '') ?? data
  return freshFolder(name, optimizer)
}
