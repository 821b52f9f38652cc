import { add, erf, exp, mul, square, sub, tanh } from '../../graph/operations.ts'
import type { Value } from '../../graph/value.ts'
import { type Rule, unary } from '../rule.ts'

/** Exact or approximated by tanh, as the operation says. */
export const Gelu: Rule = unary((x, dy, _y, operation) =>
  mul(dy, operation.text('approximate', 'none') === 'tanh' ? approximate(x) : exact(x)),
)

/** y = x·Φ(x) with Φ(x) = ½(1 + erf(x/√2));  y′ = Φ(x) + x·e^(−x²/2)/√2π */
const exact = (x: Value): Value => {
  const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5)
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return add(distribution, mul(x, density))
}

/** y = ½x(1 + t) with t = tanh(k(x + cx³));  y′ = ½(1 + t) + ½x(1 − t²)·k(1 + 3cx²) */
const approximate = (x: Value): Value => {
  const [k, c] = [Math.sqrt(2 / Math.PI), 0.044715]
  const t = tanh(mul(mul(x, add(mul(square(x), c), 1)), k))
  const inner = mul(add(mul(square(x), 3 * c), 1), k)
  return mul(add(add(t, 1), mul(mul(x, sub(1, square(t))), inner)), 0.5)
}
