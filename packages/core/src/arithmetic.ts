/**
 * The operations that update rules are written in. A backend chooses the type `T` and implements
 * them for it: `T` is a number, a tensor, the name of a value in an ONNX graph, or a node of an
 * expression graph.
 *
 * All operations are elementwise and propagate NaN.
 */
export interface Arithmetic<T> {
  /** A literal. */
  constant(value: number): T
  /** a + b */
  add(a: T, b: T): T
  /** a − b */
  sub(a: T, b: T): T
  /** a × b */
  mul(a: T, b: T): T
  /** a ÷ b */
  div(a: T, b: T): T
  /** The smaller of a and b. */
  min(a: T, b: T): T
  /** The larger of a and b. */
  max(a: T, b: T): T
  /** |a| */
  abs(a: T): T
  /** 1 where a > 0, −1 where a < 0, and a itself where it is 0 or NaN. */
  sign(a: T): T
  /** a² */
  square(a: T): T
  /** √a */
  sqrt(a: T): T
  /** eᵃ */
  exp(a: T): T
  /** 1 / (1 + e⁻ᵃ) */
  sigmoid(a: T): T
}

/** Double-precision numbers: the reference for every other arithmetic. */
export const numbers: Arithmetic<number> = {
  constant: (value) => value,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  exp: Math.exp,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
}
