import { positiveInteger } from '@diffgrad/core'
import type { Command } from 'commander'
import { resolveConfig } from '../config/config.ts'
import { addConfigOptions, givenOf } from '../config/options.ts'
import { startRun } from '../training/run.ts'
import { seedsFrom, startComparison } from './compare.ts'
import { folderFor } from './fresh-folder.ts'
import { numeric } from './numeric.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

interface Options {
  readonly out?: string
  readonly runs: number
}

/** Adds `train`: a network from photographs to a saved model. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a network; leaves a run folder with checkpoints and a report')
    .option('--out <folder>', 'the run folder (default: a new one in runs/)')
    .option(
      '--runs <count>',
      'how many runs, each from a seed of its own',
      numeric(positiveInteger),
      1,
    )
  addConfigOptions(command).action(async ({ out, runs, ...options }: Options) => {
    const config = resolveConfig(givenOf(options))
    if (runs > 1) {
      const contenders = [{ name: config.optimizer, config }]
      const plan = { contenders, seeds: seedsFrom(config, runs), keep: true }
      return startComparison(out ?? folderFor(config), plan)
    }
    await interruptibly(async (surface) => {
      await reportRun(await startRun(config, out ?? folderFor(config), surface))
    })
  })
}
