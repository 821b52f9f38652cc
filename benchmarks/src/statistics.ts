/** Timings of one contender, in one unit. */
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

/** Summarizes timings. */
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
