const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/**
 * Throws if a signal has aborted. While the runtime computes nothing is heard, so what waits is
 * heard first; a message may be heard after one timer, but not after two.
 *
 * @throws The reason of the signal.
 */
export async function throwIfAborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal && !signal.aborted) {
    await turn()
    await turn()
  }
  signal?.throwIfAborted()
}
