import { SingleBar } from 'cli-progress'
import type { Progress } from './progress.ts'

/** Shows how far the making of data is. */
export interface ProgressView {
  readonly onProgress: (progress: Progress) => void
  /** Must be called when nothing more comes. */
  stop(): void
}

/** A bar for each task on a terminal, a line elsewhere. */
export const progressView = (
  screen: NodeJS.WritableStream & { readonly isTTY?: boolean },
): ProgressView => (screen.isTTY ? bars(screen) : lines(screen))

function bars(stream: NodeJS.WritableStream): ProgressView {
  let shown: { readonly task: string; readonly bar: SingleBar } | undefined
  const stop = (): void => shown?.bar.stop()
  return {
    onProgress({ task, done, total, unit }) {
      if (shown?.task !== task) {
        stop()
        const format = total === undefined ? `${task} · {value} ${unit}` : barFormat(task, unit)
        const bar = new SingleBar({ format, stream, hideCursor: true, barsize: 20, formatValue })
        bar.start(total ?? 0, done)
        shown = { task, bar }
      }
      shown.bar.update(done)
    },
    stop,
  }
}

const barFormat = (task: string, unit: string): string =>
  `${task} {bar} {value} of {total} ${unit} · {eta_formatted} left`

const formatValue = (value: number, _options: unknown, type: string): string =>
  type === 'value' || type === 'total' ? value.toLocaleString('en') : String(value)

function lines(screen: NodeJS.WritableStream): ProgressView {
  let current = ''
  return {
    onProgress({ task, total, unit }) {
      if (task === current) return
      current = task
      const of = total === undefined ? '' : ` · ${total.toLocaleString('en')} ${unit}`
      screen.write(`${task}${of}\n`)
    },
    stop() {},
  }
}
