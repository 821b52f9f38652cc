import { SingleBar } from 'cli-progress'
import type { Screen } from './context.ts'

/** Progress of downloading, unpacking, reading or decoding. */
interface DataProgress {
  /** Such as `unpacking imagewoof2-160.tgz`. */
  readonly task: string
  readonly done: number
  /** Undefined while an archive is unpacked. */
  readonly total: number | undefined
  readonly unit: 'bytes' | 'images'
}

/** Options of every function that prepares data. */
export interface ProgressOptions {
  readonly onProgress?: ((progress: DataProgress) => void) | undefined
  /** Cancels the work. Partial output is removed, except that of a download. */
  readonly signal?: AbortSignal | undefined
}

interface DataProgressView {
  readonly onProgress: (progress: DataProgress) => void
  /** Call it after the last report, also after an error. */
  stop(): void
}

/** Shows a progress bar for each task on a terminal, and one line for each task elsewhere. */
export const showDataProgress = (screen: Screen): DataProgressView =>
  screen.isTTY ? showBars(screen) : writeLines(screen)

function showBars(stream: Screen): DataProgressView {
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

function writeLines(screen: Screen): DataProgressView {
  let current = ''
  return {
    onProgress({ task, total, unit }) {
      if (task === current) return
      current = task
      const amount = total === undefined ? '' : ` · ${total.toLocaleString('en')} ${unit}`
      screen.write(`${task}${amount}\n`)
    },
    stop() {},
  }
}
