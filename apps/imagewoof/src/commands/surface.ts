import { listenForInterruption } from '../training/interruption.ts'
import type { Screen } from '../training/progress.ts'
import type { Surface } from '../training/surface.ts'

/** Does something that Ctrl-C may end after the step in progress; the exit code tells if it did. */
export async function interruptibly(
  work: (surface: Surface) => Promise<void>,
  screen: Screen = process.stdout,
): Promise<void> {
  const interruption = listenForInterruption(() =>
    screen.write('\nFinishing the step; Ctrl-C again quits at once.\n'),
  )
  try {
    await work({ screen, signal: interruption.signal })
  } catch (error) {
    if (error !== interruption.signal.reason) throw error
    screen.write('Interrupted before anything began.\n')
  } finally {
    interruption.stop()
    if (interruption.signal.aborted) process.exitCode = interruption.exitCode
  }
}
