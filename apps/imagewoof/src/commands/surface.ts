import { listenForInterruption } from '../training/interruption.ts'
import type { Screen } from '../training/progress.ts'
import type { Surface } from '../training/surface.ts'

/** What is told of an interruption. */
interface Telling {
  /** Where to. */
  readonly screen?: Screen
  /** The command that goes on, if there is something to go on with. */
  readonly toGoOn?: string
}

/**
 * Does something that Ctrl-C may end after the step in progress; the exit code tells if it did. Data that
 * is being opened gives up with the reason of the signal.
 */
export async function interruptibly(
  work: (surface: Surface) => Promise<void>,
  { screen = process.stdout, toGoOn }: Telling = {},
): Promise<void> {
  const interruption = listenForInterruption(() =>
    screen.write('\nFinishing the step; Ctrl-C again quits at once.\n'),
  )
  try {
    await work({ screen, signal: interruption.signal })
  } catch (error) {
    if (error !== interruption.signal.reason) throw error
    screen.write('Interrupted while the data was opened.\n')
    if (toGoOn !== undefined) screen.write(`to go on  ${toGoOn}\n`)
  } finally {
    interruption.stop()
    if (interruption.signal.aborted) process.exitCode = interruption.exitCode
  }
}
