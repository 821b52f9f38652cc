import type { Command } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { resumeRun } from '../training/run.ts'
import { carryOutComparison } from './compare.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

/** Adds `resume`: a run goes on as if it had never been interrupted. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with an interrupted run or comparison, bit for bit as if it had not been')
    .argument('<run>', 'the folder of a run or a comparison')
    .action(async (path: string) => {
      const comparison = await Comparison.open(path)
      if (comparison) return carryOutComparison(comparison)
      await interruptibly(async (surface) => {
        await reportRun(await resumeRun(path, surface))
      })
    })
}
