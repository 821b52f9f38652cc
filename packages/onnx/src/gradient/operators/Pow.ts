import { cast, greater, log, mul, pow, sub, where } from '../../graph/operations.ts'
import type { Value } from '../../graph/value.ts'
import { binary, type Rule } from '../rule.ts'

/** y = aᵇ;  ∂a = ∂y · b·aᵇ⁻¹, ∂b = ∂y · y·ln a where a > 0, and 0 elsewhere */
export const Pow: Rule = binary((a, exponent, dy, y) => {
  const b = exponent.type === a.type ? exponent : cast(exponent, a.type)
  const slope = isTwo(exponent) ? a : pow(a, sub(b, 1))
  const growth = where(greater(a, 0), mul(y, log(a)), 0)
  return [mul(dy, mul(b, slope)), mul(dy, growth)]
})

/** Squares are common, and the runtime is slow at raising to the power of 1. */
const isTwo = ({ known }: Value): boolean =>
  known !== undefined && known.data.length === 1 && Number(known.data[0]) === 2
