import type { Value } from '../../ir/graph.ts'
import { staticShape } from '../../ir/value.ts'
import { apply } from '../../ops/apply.ts'
import {
  add,
  and,
  cast as castTo,
  div,
  exp,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  log,
  max,
  mul,
  neg,
  pow,
  reshape,
  sign,
  sqrt,
  square,
  sub,
  sumTo,
  where,
} from '../../ops/builders.ts'
import { binary, equalMask, type GradientRule, unary } from './gradient-rule.ts'

/** y = |x|;  ∂x = ∂y·sgn x */
export const Abs: GradientRule = unary((x, dy) => mul(dy, sign(x)))

/** y = arccos x;  ∂x = −∂y / √(1 − x²) */
export const Acos: GradientRule = unary((x, dy) => neg(div(dy, sqrt(sub(1, square(x))))))

/** y = arcosh x;  ∂x = ∂y / √(x² − 1) */
export const Acosh: GradientRule = unary((x, dy) => div(dy, sqrt(sub(square(x), 1))))

/** y = a + b;  ∂a = ∂y, ∂b = ∂y */
export const Add: GradientRule = binary((_a, _b, dy) => [dy, dy])

/** y = arcsin x;  ∂x = ∂y / √(1 − x²) */
export const Asin: GradientRule = unary((x, dy) => div(dy, sqrt(sub(1, square(x)))))

/** y = arsinh x;  ∂x = ∂y / √(x² + 1) */
export const Asinh: GradientRule = unary((x, dy) => div(dy, sqrt(add(square(x), 1))))

/** y = arctan x;  ∂x = ∂y / (1 + x²) */
export const Atan: GradientRule = unary((x, dy) => div(dy, add(square(x), 1)))

/** y = artanh x;  ∂x = ∂y / (1 − x²) */
export const Atanh: GradientRule = unary((x, dy) => div(dy, sub(1, square(x))))

const cast: GradientRule = unary((x, dy) => (x.type === dy.type ? dy : castTo(dy, x.type)))

/** y = x as another type;  ∂x = ∂y as the type of x */
export const Cast: GradientRule = cast

/** y = x as the type of another value;  ∂x = ∂y as the type of x */
export const CastLike: GradientRule = cast

/**
 * y = min(max(x, low), high);  ∂x = ∂y where low ≤ x ≤ high, and 0 elsewhere, ∂low = Σ∂y where x < low ≤ high,
 * ∂high = Σ∂y where max(x, low) > high
 */
export const Clip: GradientRule = (operation, dy) => {
  const [x, low, high] = [operation.input(0), operation.inputs[1], operation.inputs[2]]
  const above = low && greaterOrEqual(x, low)
  const below = high && lessOrEqual(x, high)
  const inside = above && below ? and(above, below) : (above ?? below)
  const sumWhere = (condition: Value, bound: Value): Value =>
    reshape(sumTo(where(condition, dy, 0), []), staticShape(bound))
  const atLow = low && (high ? and(less(x, low), lessOrEqual(low, high)) : less(x, low))
  const atHigh = high && greater(low ? max(x, low) : x, high)
  return [
    inside ? where(inside, dy, 0) : dy,
    low && atLow && sumWhere(atLow, low),
    high && atHigh && sumWhere(atHigh, high),
  ]
}

/** y = cos x;  ∂x = −∂y·sin x */
export const Cos: GradientRule = unary((x, dy) => neg(mul(dy, apply('Sin', [x]))))

/** y = cosh x;  ∂x = ∂y·sinh x */
export const Cosh: GradientRule = unary((x, dy) => mul(dy, apply('Sinh', [x])))

/** y = a / b;  ∂a = ∂y / b, ∂b = −∂y·y / b */
export const Div: GradientRule = binary((_a, b, dy, y) => [div(dy, b), neg(div(mul(dy, y), b))])

/** y = x·mask / (1 − ratio) in training, x otherwise;  ∂x = ∂y·mask / (1 − ratio) */
export const Dropout: GradientRule = unary((_x, dy, _y, operation) => {
  const [, ratio, training] = operation.inputs
  if (training === undefined || Number(training.constant?.data[0]) === 0) return dy
  const kept = mul(dy, castTo(operation.output(1), 'float32'))
  return ratio ? div(kept, sub(1, ratio)) : mul(kept, 2)
})

/** y = erf x;  ∂x = ∂y · 2/√π · e^(−x²) */
export const Erf: GradientRule = unary((x, dy) =>
  mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
)

/** y = eˣ;  ∂x = ∂y·y */
export const Exp: GradientRule = unary((_x, dy, y) => mul(dy, y))

/** y = x;  ∂x = ∂y */
export const Identity: GradientRule = unary((_x, dy) => dy)

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

/** y = the mean of x₁ … xₙ;  ∂xᵢ = ∂y / n */
export const Mean: GradientRule = (operation, dy) => {
  const share = mul(dy, 1 / operation.inputs.length)
  return operation.inputs.map((_, i) => sumTo(share, operation.input(i).shape))
}

/** y = min(x₁ … xₙ);  ∂xᵢ = ∂y where xᵢ = y, in equal shares among equals */
export const Min: GradientRule = extremum

/** y = a − b·q with the integer q = ⌊a/b⌋, or a/b truncated if `fmod` is set;  ∂a = ∂y, ∂b = −∂y·q */
export const Mod: GradientRule = binary((a, b, dy, y) => [
  dy,
  neg(mul(dy, apply('Round', [div(sub(a, y), b)]))),
])

/** y = a·b;  ∂a = ∂y·b, ∂b = ∂y·a */
export const Mul: GradientRule = binary((a, b, dy) => [mul(dy, b), mul(dy, a)])

/** y = −x;  ∂x = −∂y */
export const Neg: GradientRule = unary((_x, dy) => neg(dy))

/** y = aᵇ;  ∂a = ∂y · b·aᵇ⁻¹, ∂b = ∂y · y·ln a where a > 0, and 0 elsewhere */
export const Pow: GradientRule = binary((a, exponent, dy, y) => {
  const b = exponent.type === a.type ? exponent : castTo(exponent, a.type)
  const slope = isTwo(exponent) ? a : pow(a, sub(b, 1))
  const growth = where(greater(a, 0), mul(y, log(a)), 0)
  return [mul(dy, mul(b, slope)), mul(dy, growth)]
})

/** Squares are common, and ONNX Runtime is slow at raising to the power of 1. */
const isTwo = ({ constant }: Value): boolean =>
  constant !== undefined && constant.data.length === 1 && Number(constant.data[0]) === 2

/** y = 1/x;  ∂x = −∂y·y² */
export const Reciprocal: GradientRule = unary((_x, dy, y) => neg(mul(dy, square(y))))

/** y = sin x;  ∂x = ∂y·cos x */
export const Sin: GradientRule = unary((x, dy) => mul(dy, apply('Cos', [x])))

/** y = sinh x;  ∂x = ∂y·cosh x */
export const Sinh: GradientRule = unary((x, dy) => mul(dy, apply('Cosh', [x])))

/** y = √x;  ∂x = ½·∂y / y */
export const Sqrt: GradientRule = unary((_x, dy, y) => div(mul(dy, 0.5), y))

/** y = a − b;  ∂a = ∂y, ∂b = −∂y */
export const Sub: GradientRule = binary((_a, _b, dy) => [dy, neg(dy)])

/** y = x₁ + … + xₙ;  ∂xᵢ = ∂y */
export const Sum: GradientRule = (operation, dy) =>
  operation.inputs.map((_, i) => sumTo(dy, operation.input(i).shape))

/** y = tan x;  ∂x = ∂y·(1 + y²) */
export const Tan: GradientRule = unary((_x, dy, y) => mul(dy, add(square(y), 1)))

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

/** y does not depend on x, or is constant between steps;  ∂x = 0 */
const step: GradientRule = () => []

/** y = ⌈x⌉;  ∂x = 0 */
export const Ceil: GradientRule = step

/** y = ⌊x⌋;  ∂x = 0 */
export const Floor: GradientRule = step

/** y = x rounded to the nearest integer;  ∂x = 0 */
export const Round: GradientRule = step

/** y = sgn x;  ∂x = 0 */
export const Sign: GradientRule = step

/** y = the identity matrix of the shape of x;  ∂x = 0 */
export const EyeLike: GradientRule = step

/** y = normal random numbers of the shape of x;  ∂x = 0 */
export const RandomNormalLike: GradientRule = step

/** y = uniform random numbers of the shape of x;  ∂x = 0 */
export const RandomUniformLike: GradientRule = step
