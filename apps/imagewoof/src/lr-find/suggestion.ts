import type { Trial } from './range-test.ts'

/**
 * Where the loss falls fastest per factor of the learning rate: the middle of the quarter of all trials
 * through which the straight line is steepest.
 *
 * @returns undefined if it never falls.
 */
export function suggestion(trials: readonly Trial[]): number | undefined {
  const width = Math.max(Math.floor(trials.length / 4), 3)
  const starts = [...trials.keys()].filter((start) => start + width <= trials.length)
  const slopes = starts.map((start) => slope(trials.slice(start, start + width)))
  const steepest = Math.min(...slopes)
  if (!(steepest < 0)) return undefined
  const start = slopes.indexOf(steepest)
  return Math.sqrt(trials[start].rate * trials[start + width - 1].rate)
}

/** Of the line through losses over logarithms of their rates, by least squares. */
function slope(trials: readonly Trial[]): number {
  const points = trials.map(({ rate, loss }) => [Math.log(rate), loss] as const)
  const [x, y] = [0, 1].map((k) => points.reduce((sum, point) => sum + point[k], 0) / points.length)
  const [joint, own] = points.reduce(
    ([xy, xx], [a, b]) => [xy + (a - x) * (b - y), xx + (a - x) ** 2],
    [0, 0],
  )
  return joint / own
}
