import type { Command } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { resumeRun } from '../training/run.ts'
import { commandLine } from './command-line.ts'
import { carryOutComparison } from './compare.ts'
import { movedOption } from './moved-option.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

/** Adds `resume`: a run goes on as if it had never been interrupted. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with an interrupted run or comparison, bit for bit as if it had not been')
    .argument('<run>', 'the folder of a run or a comparison')
    .addOption(movedOption())
    .action(async (path: string, { data }: { readonly data?: string }) => {
      const comparison = await Comparison.open(path)
      const toGoOn = commandLine('resume', path, ...(data === undefined ? [] : ['--data', data]))
      await interruptibly(
        async (surface) => {
          if (!comparison) return reportRun(await resumeRun(path, surface, data))
          const dataset = data === undefined ? undefined : await comparison.openData(surface, data)
          await carryOutComparison(comparison, surface, dataset)
        },
        { toGoOn },
      )
    })
}
