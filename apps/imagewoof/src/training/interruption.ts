/** How a process asks to end: what it is told, and its exit code. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** A wish to stop, which the work in progress may wait for. */
export interface Interruption {
  readonly signal: AbortSignal
  /** Lets signals end the process again. */
  stop(): void
  /** The exit code that says which signal it was. */
  readonly exitCode: number
}

/**
 * Turns the first Ctrl-C (or SIGTERM) into a wish to stop. The second ends the process at once, even
 * while the runtime computes, because nobody listens any more.
 */
export function listenForInterruption(tell: () => void): Interruption {
  const controller = new AbortController()
  let exitCode = 0
  const listeners = Object.entries(exitCodes).map(([name, code]) => {
    const listener = (): void => {
      stop()
      exitCode = code
      tell()
      controller.abort()
    }
    return [name, listener] as const
  })
  const stop = (): void => {
    for (const [name, listener] of listeners) process.off(name, listener)
  }
  for (const [name, listener] of listeners) process.on(name, listener)
  return {
    signal: controller.signal,
    stop,
    get exitCode() {
      return exitCode
    },
  }
}
