import { listenForInterruption } from '../training/interruption.ts'
import type { Surface } from '../training/surface.ts'

/** Does something that Ctrl-C may end after the step in progress; the exit code tells if it did. */
export async function interruptibly<T>(work: (surface: Surface) => Promise<T>): Promise<T> {
  const screen = process.stdout
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
