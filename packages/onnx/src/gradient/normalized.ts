import type { Value } from '../ir/value.ts'
import { add, div, mul, reduceMean, sqrt, square, sub } from '../ops/operations.ts'

/** The mean and 1/√(variance + ε) over some axes, which stay with length 1. */
export function statistics(
  x: Value,
  axes: readonly number[],
  epsilon: number,
): readonly [mean: Value, inverse: Value] {
  const mean = reduceMean(x, axes)
  const variance = reduceMean(square(sub(x, mean)), axes)
  return [mean, div(1, sqrt(add(variance, epsilon)))]
}

/** x̂ = (x − μ)·r with μ and 1/r the mean and deviation over some axes;  ∂x = r·(∂x̂ − E[∂x̂] − x̂·E[∂x̂·x̂]) */
export function normalizedGradient(
  normalized: Value,
  inverse: Value,
  gradient: Value,
  axes: readonly number[],
): Value {
  const along = mul(normalized, reduceMean(mul(gradient, normalized), axes))
  return mul(inverse, sub(sub(gradient, reduceMean(gradient, axes)), along))
}
