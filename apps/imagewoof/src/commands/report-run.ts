import { percent, whole } from '../report/numbers.ts'
import { writeRunReport } from '../report/run-report.ts'
import { bestOf } from '../training/history.ts'
import { durationText } from '../training/progress.ts'
import type { Run } from '../training/run.ts'
import { commandLine } from './command-line.ts'

/** Writes the report of a run, and prints what became of it. */
export async function reportRun({ folder, state, finished }: Run): Promise<void> {
  const report = await writeRunReport(folder)
  const { epochs } = state.history
  const last = epochs[epochs.length - 1]
  const best = bestOf(state.history)
  if (finished && last && best) {
    const { data } = await folder.environment()
    const seconds = epochs.reduce((sum, row) => sum + row.seconds, 0)
    console.log(
      `\n${percent(last.top1)} of ${whole(data.validation)} validation pictures right (best: ${percent(best.top1)}, epoch ${best.epoch}), after ${durationText(seconds)} of training.`,
    )
  } else {
    console.log(`\nStopped after ${state.history.losses.length} steps; the checkpoint is of now.`)
    console.log(`to go on  ${commandLine('resume', folder.path)}`)
  }
  console.log(`run       ${folder.path}`)
  console.log(`report    ${report}`)
}
