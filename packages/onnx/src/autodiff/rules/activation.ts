import type { Value } from '../../ir/graph.ts'
import { apply } from '../../ops/apply.ts'
import {
  abs,
  add,
  and,
  div,
  erf,
  exp,
  greater,
  less,
  mul,
  sigmoid,
  softplus,
  square,
  sub,
  tanh,
  where,
} from '../../ops/builders.ts'
import { binary, type GradientRule, unary } from './gradient-rule.ts'

/** y = x where x > 0, α(e^(x/α) − 1) elsewhere;  ∂x = ∂y where x > 0, ∂y·(y/α + 1) elsewhere */
export const Celu: GradientRule = unary((x, dy, y, operation) =>
  where(greater(x, 0), dy, mul(dy, add(mul(y, 1 / operation.float('alpha', 1)), 1))),
)

/** y = x where x > 0, α(eˣ − 1) elsewhere;  ∂x = ∂y where x > 0, ∂y·(y + α) elsewhere */
export const Elu: GradientRule = unary((x, dy, y, operation) =>
  where(greater(x, 0), dy, mul(dy, add(y, operation.float('alpha', 1)))),
)

/** y = x·Φ(x), exact or approximated by tanh as `approximate` says;  ∂x = ∂y·y′ */
export const Gelu: GradientRule = unary((x, dy, _y, operation) =>
  mul(dy, operation.string('approximate', 'none') === 'tanh' ? approximateGelu(x) : exactGelu(x)),
)

/** y = x·Φ(x) with Φ(x) = ½(1 + erf(x/√2));  y′ = Φ(x) + x·e^(−x²/2)/√2π */
const exactGelu = (x: Value): Value => {
  const distribution = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5)
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return add(distribution, mul(x, density))
}

/** y = ½x(1 + t) with t = tanh(k(x + cx³));  y′ = ½(1 + t) + ½x(1 − t²)·k(1 + 3cx²) */
const approximateGelu = (x: Value): Value => {
  const [k, c] = [Math.sqrt(2 / Math.PI), 0.044715]
  const t = tanh(mul(mul(x, add(mul(square(x), c), 1)), k))
  const inner = mul(add(mul(square(x), 3 * c), 1), k)
  return mul(add(add(t, 1), mul(mul(x, sub(1, square(t))), inner)), 0.5)
}

/** y = min(max(αx + β, 0), 1);  ∂x = α·∂y where 0 < y < 1, and 0 elsewhere */
export const HardSigmoid: GradientRule = unary((_x, dy, y, operation) =>
  where(and(greater(y, 0), less(y, 1)), mul(dy, operation.float('alpha', 0.2)), 0),
)

/** y = x·min(max(x/6 + ½, 0), 1);  ∂x = 0 below −3, ∂y above 3, ∂y·(x/3 + ½) between */
export const HardSwish: GradientRule = unary((x, dy) => {
  const between = where(less(x, 3), mul(dy, add(mul(x, 1 / 3), 0.5)), dy)
  return where(greater(x, -3), between, 0)
})

/** y = x where x ≥ 0, αx elsewhere;  ∂x = ∂y where x ≥ 0, α·∂y elsewhere */
export const LeakyRelu: GradientRule = unary((x, dy, _y, operation) =>
  where(less(x, 0), mul(dy, operation.float('alpha', 0.01)), dy),
)

/** y = x·t with t = tanh(ln(1 + eˣ));  ∂x = ∂y·(t + x·σ(x)·(1 − t²)) */
export const Mish: GradientRule = unary((x, dy) => {
  const t = tanh(softplus(x))
  return mul(dy, add(t, mul(mul(x, sigmoid(x)), sub(1, square(t)))))
})

/** y = x where x ≥ 0, a·x elsewhere;  ∂x = ∂y or a·∂y, ∂a = 0 or x·∂y */
export const PRelu: GradientRule = binary((x, a, dy) => {
  const negative = less(x, 0)
  return [where(negative, mul(dy, a), dy), mul(dy, where(negative, x, 0))]
})

/** y = max(x, 0);  ∂x = ∂y where y > 0, and 0 elsewhere */
export const Relu: GradientRule = unary((_x, dy, y) => mul(dy, positiveMask(y)))

/**
 * 1 where y > 0 and 0 elsewhere, for y ≥ 0: min(2¹²⁷·y, 1), which is 1 from float32's smallest normal
 * number on. This is one pass; Greater and Cast are two, and Where is slower than a product with the mask.
 */
const positiveMask = (y: Value): Value =>
  apply('HardSigmoid', [y], { alpha: { float: 2 ** 127 }, beta: { float: 0 } })

/** y = γx where x > 0, γα(eˣ − 1) elsewhere;  ∂x = γ·∂y where x > 0, ∂y·(y + γα) elsewhere */
export const Selu: GradientRule = unary((x, dy, y, operation) => {
  const alpha = operation.float('alpha', 1.6732632423543772)
  const gamma = operation.float('gamma', 1.0507009873554805)
  return where(greater(x, 0), mul(dy, gamma), mul(dy, add(y, gamma * alpha)))
})

/** y = x + β where x < −λ, x − β where x > λ, 0 between;  ∂x = ∂y where |x| > λ, and 0 elsewhere */
export const Shrink: GradientRule = unary((x, dy, _y, operation) =>
  where(greater(abs(x), operation.float('lambd', 0.5)), dy, 0),
)

/** y = σ(x);  ∂x = ∂y·y·(1 − y) */
export const Sigmoid: GradientRule = unary((_x, dy, y) => mul(dy, mul(y, sub(1, y))))

/** y = ln(1 + eˣ);  ∂x = ∂y·σ(x) */
export const Softplus: GradientRule = unary((x, dy) => mul(dy, sigmoid(x)))

/** y = x / (1 + |x|);  ∂x = ∂y / (1 + |x|)² */
export const Softsign: GradientRule = unary((x, dy) => div(dy, square(add(abs(x), 1))))

/** y = x where x > α, 0 elsewhere;  ∂x = ∂y where x > α, and 0 elsewhere */
export const ThresholdedRelu: GradientRule = unary((x, dy, _y, operation) =>
  where(greater(x, operation.float('alpha', 1)), dy, 0),
)
