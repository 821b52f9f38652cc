import {
  abs,
  add,
  div,
  divNoNan,
  isFinite as finite,
  lessEqual,
  max,
  mul,
  onesLike,
  type Scalar,
  sqrt,
  square,
  stack,
  sum,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core'

/**
 * The Euclidean norm of all elements of some arrays; not finite if, and only if, one of them is not.
 * The sum of squares overflows long before the norm does, so it is taken of scaled elements.
 */
export function norm(arrays: readonly Tensor[]): Scalar {
  const largest = max(stack(arrays.map((array) => max(abs(array)))))
  const sums = arrays.map((array) => sum(square(divNoNan(array, largest))))
  return mul(largest, sqrt(sums.reduce((total, one) => add(total, one))))
}

/** By what to multiply arrays so that their norm is at most `limit`: NaN if it is not finite. */
export function shrinkage(arrays: readonly Tensor[], limit: number): Scalar {
  const length = norm(arrays)
  // Not every device makes NaN of infinities where arithmetic should.
  const factor: Scalar = where(finite(length), div(limit, length), Number.NaN)
  return where(lessEqual(length, limit), onesLike(length), factor)
}
