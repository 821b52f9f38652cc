import { formatCount } from '../format.ts'
import { RemainingTime, type Screen } from './screen.ts'

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

/** Writes a line for each task, and shows its progress. */
export function showDataProgress(screen: Screen): DataProgressView {
  let current: { readonly task: string; readonly time: RemainingTime } | undefined
  return {
    onProgress({ task, done, total, unit }) {
      if (current?.task !== task) {
        current = { task, time: new RemainingTime(done) }
        const amount = total === undefined ? '' : ` · ${formatCount(total)} ${unit}`
        screen.write(`${task}${amount}`)
      }
      const left = total === undefined ? undefined : current.time.text(done, total)
      const of = total === undefined ? '' : ` of ${formatCount(total)}`
      const details = [...(left ? [left] : []), `${formatCount(done)}${of} ${unit}`]
      screen.show({ task, done, total, details })
    },
    stop: () => screen.hide(),
  }
}
