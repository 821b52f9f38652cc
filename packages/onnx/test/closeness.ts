/** √Σx² */
export const norm = (x: ArrayLike<number>): number =>
  Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0))

/** ‖a − b‖ / ‖b‖, or ‖a − b‖ where b is zero. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return norm(Array.from(a, (v, i) => v - (b[i] ?? 0))) / (norm(b) || 1)
}

/** The largest |a − b| / max(|b|, 1). */
export const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]) / Math.max(Math.abs(b[i]), 1)))
