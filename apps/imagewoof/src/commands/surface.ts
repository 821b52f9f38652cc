import { listenForInterruption } from '../training/interruption.ts'
import type { Screen } from '../training/progress.ts'
import type { Surface } from '../training/surface.ts'

/** Does something that Ctrl-C may end after the step in progress; the exit code tells if it did. */
export async function interruptibly<T>(
  work: (surface: Surface) => Promise<T>,
  screen: Screen = process.stdout,
): Promise<T> {
  const interruption = listenForInterruption(() =>
    screen.write('\nFinishing the step; Ctrl-C again quits at once.\n'),
  )
  try {
    return await work({ screen, signal: interruption.signal })
  } finally {
    interruption.stop()
    if (interruption.signal.aborted) process.exitCode = interruption.exitCode
  }
}
