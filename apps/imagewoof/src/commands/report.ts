import type { Command } from 'commander'
import { writeRunReport } from '../report/run-report.ts'
import { RunFolder } from '../run/run-folder.ts'

/** Adds `report`: report.html anew, from what lies in a run folder. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('make report.html of a run folder anew')
    .argument('<run>', 'the run folder')
    .action(async (path: string) => {
      console.log(await writeRunReport(await RunFolder.open(path)))
    })
}
