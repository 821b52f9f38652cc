import type { Command } from 'commander'
import { Comparison } from '../compare/comparison.ts'
import { writeCompareReport } from '../report/compare-report.ts'
import { writeRunReport } from '../report/run-report.ts'
import { RunFolder } from '../run/run-folder.ts'

/** Adds `report`: report.html anew, from what lies in a run folder. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('make report.html anew, from what lies in a folder')
    .argument('<run>', 'the folder of a run or a comparison')
    .action(async (path: string) => {
      const comparison = await Comparison.open(path)
      const written = comparison
        ? await writeCompareReport(comparison)
        : await writeRunReport(await RunFolder.open(path))
      console.log(written)
    })
}
