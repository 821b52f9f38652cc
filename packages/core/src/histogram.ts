/** How often values fall between edges. */
export interface Histogram {
  /** Rising; bin i holds edges[i] ≤ value < edges[i + 1]. */
  readonly edges: readonly number[]
  readonly counts: readonly number[]
  /** How many values lie below the first edge, at or above the last, or are NaN. */
  readonly outside: number
  readonly mean: number
}

/**
 * Counts values between edges.
 *
 * @param edges - rising, at least two.
 * @throws RangeError if the edges do not rise.
 */
export function histogram(values: Iterable<number>, edges: readonly number[]): Histogram {
  if (edges.length < 2 || edges.some((edge, i) => i > 0 && !(edge > edges[i - 1]))) {
    throw new RangeError(`histogram: edges must be at least two rising numbers, but are ${edges}`)
  }
  const counts = new Array<number>(edges.length - 1).fill(0)
  let outside = 0
  let sum = 0
  let n = 0
  for (const value of values) {
    sum += value
    n++
    const bin = upperBound(edges, value) - 1
    if (bin >= 0 && bin < counts.length) counts[bin]++
    else outside++
  }
  return { edges, counts, outside, mean: sum / n }
}

/** How many edges are at or below the value. */
function upperBound(edges: readonly number[], value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle] <= value) low = middle + 1
    else high = middle
  }
  return low
}
