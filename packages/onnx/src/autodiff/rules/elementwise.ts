import type { Value } from '../../ir/graph.ts'
import { apply } from '../../ops/apply.ts'
import {
  add,
  and,
  cast,
  div,
  erf,
  exp,
  greater,
  less,
  lessOrEqual,
  log,
  mul,
  neg,
  pow,
  sigmoid,
  sign,
  softplus,
  square,
  sub,
  sumTo,
  tanh,
  where,
} from '../../ops/builders.ts'
import { binary, equalMask, type GradientRule, unary } from './gradient-rule.ts'

/** y = |x|;  ∂x = ∂y·sgn x */
export const Abs: GradientRule = unary((x, dy) => mul(dy, sign(x)))

/** y = a + b;  ∂a = ∂y, ∂b = ∂y */
export const Add: GradientRule = binary((_a, _b, dy) => [dy, dy])

/** y = x as another type;  ∂x = ∂y as the type of x */
export const Cast: GradientRule = unary((x, dy) => (x.type === dy.type ? dy : cast(dy, x.type)))

/** y = min(max(x, low), high);  ∂x = ∂y where low ≤ x ≤ high, and 0 elsewhere */
export const Clip: GradientRule = (operation, dy) => {
  const [x, low, high] = [operation.input(0), operation.inputs[1], operation.inputs[2]]
  const above = low && apply('GreaterOrEqual', [x, low])
  const below = high && lessOrEqual(x, high)
  const inside = above && below ? and(above, below) : (above ?? below)
  return [inside ? where(inside, dy, 0) : dy]
}

/** y = cos x;  ∂x = −∂y·sin x */
export const Cos: GradientRule = unary((x, dy) => neg(mul(dy, apply('Sin', [x]))))

/** y = a / b;  ∂a = ∂y / b, ∂b = −∂y·y / b */
export const Div: GradientRule = binary((_a, b, dy, y) => [div(dy, b), neg(div(mul(dy, y), b))])

/** y = x·mask / (1 − ratio) in training, x otherwise;  ∂x = ∂y·mask / (1 − ratio) */
export const Dropout: GradientRule = unary((_x, dy, _y, operation) => {
  const [, ratio, training] = operation.inputs
  if (training === undefined || Number(training.constant?.data[0]) === 0) return dy
  const kept = mul(dy, cast(operation.output(1), 'float32'))
  return ratio ? div(kept, sub(1, ratio)) : mul(kept, 2)
})

/** y = x where x > 0, α(eˣ − 1) elsewhere;  ∂x = ∂y where x > 0, ∂y·(y + α) elsewhere */
export const Elu: GradientRule = unary((x, dy, y, operation) =>
  where(greater(x, 0), dy, mul(dy, add(y, operation.float('alpha', 1)))),
)

/** y = erf x;  ∂x = ∂y · 2/√π · e^(−x²) */
export const Erf: GradientRule = unary((x, dy) =>
  mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
)

/** y = eˣ;  ∂x = ∂y·y */
export const Exp: GradientRule = unary((_x, dy, y) => mul(dy, y))

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

/** y = x;  ∂x = ∂y */
export const Identity: GradientRule = unary((_x, dy) => dy)

/** y = x where x ≥ 0, αx elsewhere;  ∂x = ∂y where x ≥ 0, α·∂y elsewhere */
export const LeakyRelu: GradientRule = unary((x, dy, _y, operation) =>
  where(less(x, 0), mul(dy, operation.float('alpha', 0.01)), dy),
)

/** y = ln x;  ∂x = ∂y / x */
export const Log: GradientRule = unary((x, dy) => div(dy, x))

/** y = the maximum or minimum of x₁ … xₙ;  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
const extremum: GradientRule = (operation, dy) => {
  const inputs = operation.inputs.map((_, i) => operation.input(i))
  const masks = inputs.map((x) => equalMask(x, operation.output()))
  const share = div(
    dy,
    masks.reduce((sum, mask) => add(sum, mask)),
  )
  return inputs.map((x, i) => sumTo(mul(share, masks[i] ?? 0), x.shape))
}

/** y = max(x₁ … xₙ);  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
export const Max: GradientRule = extremum

/** y = min(x₁ … xₙ);  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
export const Min: GradientRule = extremum

/** y = x·t with t = tanh(ln(1 + eˣ));  ∂x = ∂y·(t + x·σ(x)·(1 − t²)) */
export const Mish: GradientRule = unary((x, dy) => {
  const t = tanh(softplus(x))
  return mul(dy, add(t, mul(mul(x, sigmoid(x)), sub(1, square(t)))))
})

/** y = a·b;  ∂a = ∂y·b, ∂b = ∂y·a */
export const Mul: GradientRule = binary((a, b, dy) => [mul(dy, b), mul(dy, a)])

/** y = −x;  ∂x = −∂y */
export const Neg: GradientRule = unary((_x, dy) => neg(dy))

/** y = x where x ≥ 0, a·x elsewhere;  ∂x = ∂y or a·∂y, ∂a = 0 or x·∂y */
export const PRelu: GradientRule = binary((x, a, dy) => {
  const negative = less(x, 0)
  return [where(negative, mul(dy, a), dy), mul(dy, where(negative, x, 0))]
})

/** y = aᵇ;  ∂a = ∂y · b·aᵇ⁻¹, ∂b = ∂y · y·ln a where a > 0, and 0 elsewhere */
export const Pow: GradientRule = binary((a, exponent, dy, y) => {
  const b = exponent.type === a.type ? exponent : cast(exponent, a.type)
  const slope = isTwo(exponent) ? a : pow(a, sub(b, 1))
  const growth = where(greater(a, 0), mul(y, log(a)), 0)
  return [mul(dy, mul(b, slope)), mul(dy, growth)]
})

/** Squares are common, and ONNX Runtime is slow at raising to the power of 1. */
const isTwo = ({ constant }: Value): boolean =>
  constant !== undefined && constant.data.length === 1 && Number(constant.data[0]) === 2

/** y = 1/x;  ∂x = −∂y·y² */
export const Reciprocal: GradientRule = unary((_x, dy, y) => neg(mul(dy, square(y))))

/** y = max(x, 0);  ∂x = ∂y where y > 0, and 0 elsewhere */
export const Relu: GradientRule = unary((_x, dy, y) => mul(dy, positiveMask(y)))

/**
 * 1 where y > 0 and 0 elsewhere, for y ≥ 0: min(2¹²⁷·y, 1), which is 1 from float32's smallest normal
 * number on. This is one pass; Greater and Cast are two, and Where is slower than a product with the mask.
 */
const positiveMask = (y: Value): Value =>
  apply('HardSigmoid', [y], { alpha: { float: 2 ** 127 }, beta: { float: 0 } })

/** y = σ(x);  ∂x = ∂y·y·(1 − y) */
export const Sigmoid: GradientRule = unary((_x, dy, y) => mul(dy, mul(y, sub(1, y))))

/** y = sin x;  ∂x = ∂y·cos x */
export const Sin: GradientRule = unary((x, dy) => mul(dy, apply('Cos', [x])))

/** y = ln(1 + eˣ);  ∂x = ∂y·σ(x) */
export const Softplus: GradientRule = unary((x, dy) => mul(dy, sigmoid(x)))

/** y = √x;  ∂x = ½·∂y / y */
export const Sqrt: GradientRule = unary((_x, dy, y) => div(mul(dy, 0.5), y))

/** y = a − b;  ∂a = ∂y, ∂b = −∂y */
export const Sub: GradientRule = binary((_a, _b, dy) => [dy, neg(dy)])

/** y = x₁ + … + xₙ;  ∂xᵢ = ∂y */
export const Sum: GradientRule = (operation, dy) =>
  operation.inputs.map((_, i) => sumTo(dy, operation.input(i).shape))

/** y = tanh x;  ∂x = ∂y·(1 − y²) */
export const Tanh: GradientRule = unary((_x, dy, y) => mul(dy, sub(1, square(y))))

/** y = a where c holds, b elsewhere;  ∂a = ∂y where c holds, ∂b = ∂y elsewhere */
export const Where: GradientRule = (operation, dy) => {
  const [c, a, b] = [operation.input(0), operation.input(1), operation.input(2)]
  return [
    undefined,
    sumTo(where(c, dy, 0), a.shape),
    sumTo(where(c, dy.graph.scalar(0), dy), b.shape),
  ]
}
