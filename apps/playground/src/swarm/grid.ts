import type { Interval } from '../race/course.ts'

/**
 * Points on a regular grid that fills a window, row by row from its top left corner.
 *
 * @param counts - how many an axis.
 * @returns the first coordinate of all, then the second of all.
 */
export function gridOf(window: readonly Interval[], counts: readonly number[]): Float32Array {
  const size = counts.reduce((product, count) => product * count, 1)
  const points = new Float32Array(window.length * size)
  for (let i = 0; i < size; i++) {
    const [column, row] = [i % counts[0], Math.floor(i / counts[0])]
    const shares = [(column + 0.5) / counts[0], 1 - (row + 0.5) / (counts[1] ?? 1)]
    for (const [axis, [low, high]] of window.entries()) {
      points[axis * size + i] = low + (high - low) * shares[axis]
    }
  }
  return points
}
