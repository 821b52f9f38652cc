import { Writable } from 'node:stream'
import type { Communicator } from '@diffgrad/core'
import type { Machine } from '../provider.ts'
import { RankGroup } from '../rank-group.ts'
import type { LivePage } from '../watch/live-page.ts'
import { hasParent, listenToParent, ParentScreen } from './parent.ts'
import { type OutputStream, Screen } from './screen.ts'

/** What every long-running command passes down. */
export interface CommandContext extends Machine {
  /** Receives progress and status lines. */
  readonly screen: Screen
  /** Aborts on Ctrl-C, SIGTERM or SIGHUP. Training ends after the step in progress. */
  readonly signal: AbortSignal
  /** Shows the training while it runs, if the user asked for it. */
  readonly livePage?: LivePage
  /** The processes that train together. */
  readonly ranks: RankGroup
}

export interface InterruptOptions {
  /** Receives progress and status lines; standard output by default. */
  readonly screen?: OutputStream
  /** The command to print for resuming, if the work can be resumed. */
  readonly resumeCommand?: string
  /** The ranks that work together; default: this process alone. Only the first one shows progress. */
  readonly communicator?: Communicator
}

/**
 * Runs work that Ctrl-C, SIGTERM, SIGHUP and the parent of a trial's process interrupt after the step in
 * progress, and then sets the exit code of the signal. An interruption while data is being opened rejects
 * the work with the signal's reason; that rejection is handled here.
 */
export async function runInterruptibly(
  work: (context: CommandContext) => Promise<void>,
  { screen: stream = process.stdout, resumeCommand, communicator }: InterruptOptions = {},
): Promise<void> {
  const { rank, size } = communicator ?? { rank: 0, size: 1 }
  const isShown = rank === 0
  const output = isShown ? stream : new Writable({ write: (_, __, done) => done() })
  const screen = hasParent() ? new ParentScreen(output) : new Screen(output)
  const interrupts = handleInterrupts(() => {
    screen.close()
    if (size === 1) screen.write('Finishing the current step; press Ctrl-C again to quit at once.')
    // A launcher also sends SIGTERM to the ranks that survive another one. One of the first two does.
    else if (rank < 2)
      console.error(
        `rank ${rank}: told to end, finishes the current step, unless another process has died\nto resume  ${resumeCommand}`,
      )
  })
  try {
    const { signal } = interrupts
    await work({ screen, signal, ranks: new RankGroup(signal, communicator) })
  } catch (error) {
    if (error !== interrupts.signal.reason) throw error
    screen.write('Interrupted while opening the data.')
    if (resumeCommand !== undefined) screen.write(`to resume  ${resumeCommand}`)
  } finally {
    screen.hide()
    interrupts.remove()
    // A launcher tells all ranks to end when the first one has failed, while others still print why.
    if (size > 1) for (const name of Object.keys(exitCodes)) process.on(name, () => {})
    if (interrupts.signal.aborted) process.exitCode = interrupts.exitCode
  }
}

/** Exit codes of a process that a signal ended: 128 plus the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

interface InterruptHandlers {
  /** Aborts on the first signal. */
  readonly signal: AbortSignal
  /** The exit code of the first signal; 0 before. */
  readonly exitCode: number
  /** Removes the handlers: the next signal ends the process. */
  remove(): void
}

/**
 * Installs handlers that turn the first signal into an abort signal. The next Ctrl-C or SIGTERM ends the
 * process at once, because the first signal removes their handlers. Further SIGHUPs are ignored: a
 * terminal that closes sends one to each process itself, and its shell sends another.
 */
function handleInterrupts(onInterrupt: () => void): InterruptHandlers {
  const controller = new AbortController()
  let exitCode = 0
  const handlers = Object.entries(exitCodes).map(([name, code]) => {
    const handler = (): void => {
      if (controller.signal.aborted) return
      removeAllBut('SIGHUP')
      exitCode = code
      onInterrupt()
      controller.abort()
    }
    return [name, handler] as const
  })
  const removeAllBut = (kept?: string): void => {
    for (const [name, handler] of handlers) if (name !== kept) process.off(name, handler)
  }
  for (const [name, handler] of handlers) process.on(name, handler)
  const [[, onFirst]] = handlers
  if (hasParent()) listenToParent(onFirst)
  return {
    signal: controller.signal,
    remove: removeAllBut,
    get exitCode() {
      return exitCode
    },
  }
}

/** Errors of an output whose reader has ended, as in `| head`, or whose terminal was closed. */
const closedOutput = ['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']

/**
 * Discards output that nobody can read any more, so that a training runs to its end and is saved. Another
 * error, such as of a full disk that output is redirected to, makes the exit code 1.
 */
export function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', ({ code = '', message }: NodeJS.ErrnoException) => {
      if (closedOutput.includes(code)) return
      process.exitCode = 1
      if (stream === process.stdout)
        process.stderr.write(`error: standard output cannot be written: ${message}\n`)
    })
}
