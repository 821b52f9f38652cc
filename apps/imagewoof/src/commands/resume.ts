import type { Command } from 'commander'
import { resumeRun } from '../training/run.ts'
import { reportRun } from './report-run.ts'
import { interruptibly } from './surface.ts'

/** Adds `resume`: a run goes on as if it had never been interrupted. */
export function addResume(program: Command): void {
  program
    .command('resume')
    .description('go on with an interrupted run, bit for bit as if it had not been')
    .argument('<run>', 'the run folder')
    .action(async (path: string) => {
      await interruptibly(async (surface) => {
        await reportRun(await resumeRun(path, surface))
      })
    })
}
