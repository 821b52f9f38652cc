/** How far two numbers may lie apart: a share of the larger magnitude, or a distance where both are near zero. */
export interface Tolerance {
  /** At most this share of the larger magnitude of the two. */
  readonly relative: number
  /** A distance that is always allowed; 0 by default. Choose it from the scale of the summands. */
  readonly absolute?: number
}

/**
 * Throws unless every element of `actual` is within the tolerance of its counterpart. NaN agrees with
 * nothing, an infinity with itself alone.
 *
 * Use it instead of an absolute `toBeCloseTo`, which is stricter than float32 for large values and
 * vacuous for small ones.
 *
 * @throws Error naming the first element that differs, both values, and the tolerance.
 */
export function expectClose(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  tolerance: Tolerance,
): void {
  const { relative, absolute = 0 } = tolerance
  compare(actual, expected, (a, b) => {
    const difference = Math.abs(a - b)
    const limit = Math.max(absolute, relative * Math.max(Math.abs(a), Math.abs(b)))
    if (a === b || (Number.isFinite(difference) && difference <= limit)) return undefined
    return `differs by ${difference}, but at most ${limit} is allowed (${JSON.stringify(tolerance)})`
  })
}

/**
 * Throws unless every float32 of `actual` is at most `ulps` representable float32 values away from its
 * counterpart; both zeros are one value.
 *
 * @throws Error naming the first element that differs, both values, and the distance.
 */
export function expectWithinUlps(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  ulps: number,
): void {
  compare(actual, expected, (a, b) => {
    const distance = ulpsBetween(a, b)
    return distance <= ulps
      ? undefined
      : `is ${distance} ulps away, but at most ${ulps} are allowed`
  })
}

/** How many float32 values lie between two numbers, after rounding both; NaN if one is NaN. */
export function ulpsBetween(a: number, b: number): number {
  return Math.abs(ordinal(a) - ordinal(b))
}

const bits = new DataView(new ArrayBuffer(4))

/** The position of a float32 on the line of all float32 values, zero at 0. */
function ordinal(x: number): number {
  if (Number.isNaN(x)) return Number.NaN
  bits.setFloat32(0, Math.abs(x))
  return Math.sign(x) * bits.getUint32(0)
}

function compare(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  difference: (a: number, b: number) => string | undefined,
): void {
  const [as, bs] = [actual, expected].map((it) => (typeof it === 'number' ? [it] : it))
  if (as.length !== bs.length) {
    throw new Error(`expected ${bs.length} elements, but there are ${as.length}`)
  }
  for (let i = 0; i < as.length; i++) {
    const complaint = difference(as[i], bs[i])
    if (complaint) throw new Error(`element ${i}: ${as[i]}, expected ${bs[i]}, ${complaint}`)
  }
}
