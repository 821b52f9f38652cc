import { mkdirSync, writeFileSync } from 'node:fs'

/** Statistics of the timings of one benchmark entry, in their unit. */
export interface Summary {
  readonly median: number
  /** The quartiles: half of all timings lie between. */
  readonly spread: readonly [lower: number, upper: number]
}

const quantile = (sorted: readonly number[], q: number): number => {
  const at = q * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low + (high - low) * (at - Math.floor(at))
}

export function summarize(timings: readonly number[]): Summary {
  const sorted = timings.toSorted((a, b) => a - b)
  return {
    median: quantile(sorted, 0.5),
    spread: [quantile(sorted, 0.25), quantile(sorted, 0.75)],
  }
}

/** The median of `timings` relative to `others`, round by round, so that slow moments cancel out. */
export const ratio = (timings: readonly number[], others: readonly number[]): number =>
  summarize(timings.map((time, round) => time / others[round])).median

/** Formats a number with three significant digits. */
export const formatDigits = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3))

/** Formats a median with its quartiles in brackets. */
export const formatSummary = (
  { median, spread: [lower, upper] }: Summary,
  format: (x: number) => string = formatDigits,
): string => `${format(median)} (${format(lower)}–${format(upper)})`

export const formatPercent = (share: number): string => `${Math.round(100 * share)} %`

/** A Markdown table whose first columns are aligned to the left, and the others to the right. */
export const markdownTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  leftAligned = 1,
): string =>
  [head, head.map((_, i) => (i < leftAligned ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

/** Writes `benchmarks/results/<name>.json` and `.md`. */
export function writeResults(name: string, results: object, markdown: string): void {
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(results, undefined, 1)}\n`)
  writeFileSync(new URL(`${name}.md`, folder), markdown)
}
