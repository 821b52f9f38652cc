import type { DataProgress } from '../data/progress.ts'
import { formatCount } from '../format.ts'
import { RemainingTime, type Screen } from './screen.ts'

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
