import { type Progress, Screen } from './screen.ts'

/** What a trial's process sends to the process that started it. */
export type ChildMessage =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'progress'; readonly progress?: Progress }

/** Sent to a trial's process: finish the step in progress, and save. */
export const interruptMessage = 'interrupt'

/** The environment variable that names the parent of a trial's process: its identifier. */
export const parentVariable = 'IMAGEWOOF_PARENT'

/** Whether this process is one that `startTrial` started, and not a descendant of one. */
export const hasParent = (): boolean =>
  process.send !== undefined && process.env[parentVariable] === `${process.ppid}`

/** Sends lines and progress to the parent, which shows them, until an interruption, which the parent reports. */
export class ParentScreen extends Screen {
  #closed = false

  override write(text: string): void {
    if (!this.#closed) send({ kind: 'line', text: text.trimEnd() })
  }

  override showAll([progress]: readonly Progress[]): void {
    send({ kind: 'progress', ...(progress && { progress }) })
  }

  override hide(): void {
    send({ kind: 'progress' })
  }

  override close(): void {
    this.hide()
    this.#closed = true
  }
}

/**
 * Ends this process with its parent, however that ends: a trial whose parent was killed would write into
 * a folder in which another process continues it.
 *
 * @param onInterrupt - called if the parent asks for it.
 */
export function listenToParent(onInterrupt: () => void): void {
  const end = (): void => void process.kill(process.pid, 'SIGKILL')
  process.on('disconnect', end)
  process.on('message', (message) => {
    if (message === interruptMessage) onInterrupt()
  })
  if (!process.connected) end()
  process.channel?.unref()
}

/** A parent that has ended receives nothing: the process is about to end, too. */
const send = (message: ChildMessage): void =>
  void process.send?.(message, undefined, undefined, () => undefined)
