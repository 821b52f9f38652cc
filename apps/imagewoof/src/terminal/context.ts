/** A writable stream that may be a terminal. */
export interface Screen extends NodeJS.WritableStream {
  readonly isTTY?: boolean
}

/** What every long-running command passes down. */
export interface CommandContext {
  /** Receives progress and status lines. */
  readonly screen: Screen
  /** Aborts on Ctrl-C or SIGTERM. Training ends after the step in progress. */
  readonly signal: AbortSignal
}

interface InterruptOptions {
  /** Receives progress and status lines; standard output by default. */
  readonly screen?: Screen
  /** The command to print for resuming, if the work can be resumed. */
  readonly resumeCommand?: string
}

/**
 * Runs work that Ctrl-C and SIGTERM interrupt after the step in progress, and then sets the exit code of
 * the signal. An interruption while data is being opened rejects the work with the signal's reason; that
 * rejection is handled here.
 */
export async function runInterruptibly(
  work: (context: CommandContext) => Promise<void>,
  { screen = process.stdout, resumeCommand }: InterruptOptions = {},
): Promise<void> {
  const interrupts = handleInterrupts(() =>
    screen.write('\nFinishing the current step; press Ctrl-C again to quit at once.\n'),
  )
  try {
    await work({ screen, signal: interrupts.signal })
  } catch (error) {
    if (error !== interrupts.signal.reason) throw error
    screen.write('Interrupted while opening the data.\n')
    if (resumeCommand !== undefined) screen.write(`to resume  ${resumeCommand}\n`)
  } finally {
    interrupts.remove()
    if (interrupts.signal.aborted) process.exitCode = interrupts.exitCode
  }
}

/** Exit codes of a process that a signal ended: 128 plus the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

interface InterruptHandlers {
  /** Aborts on the first signal. */
  readonly signal: AbortSignal
  /** The exit code of the signal that arrived; 0 before. */
  readonly exitCode: number
  /** Removes the handlers: the next signal ends the process. */
  remove(): void
}

/**
 * Installs handlers that turn the first Ctrl-C or SIGTERM into an abort signal. The second one ends the
 * process at once, even while the runtime blocks the event loop, because the first removes the handlers.
 */
function handleInterrupts(onInterrupt: () => void): InterruptHandlers {
  const controller = new AbortController()
  let exitCode = 0
  const handlers = Object.entries(exitCodes).map(([name, code]) => {
    const handler = (): void => {
      remove()
      exitCode = code
      onInterrupt()
      controller.abort()
    }
    return [name, handler] as const
  })
  const remove = (): void => {
    for (const [name, handler] of handlers) process.off(name, handler)
  }
  for (const [name, handler] of handlers) process.on(name, handler)
  return {
    signal: controller.signal,
    remove,
    get exitCode() {
      return exitCode
    },
  }
}
